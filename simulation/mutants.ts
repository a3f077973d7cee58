import type { DeliveryPolicy } from "../shared/domain/policy.ts";
import type { Ports } from "./world/ports.ts";
import type { World } from "./world/world.ts";

/** A bug planted around the pipeline, to see whether the rules notice. */
export interface Mutant {
  readonly why: string;
  /** Ports that one function sees instead of its own. */
  readonly ports?: (ports: Ports, world: World) => Partial<Ports>;
  readonly policy?: Partial<DeliveryPolicy>;
}
