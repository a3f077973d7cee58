import type { Numbered, Stream } from "../../client/stream.ts";
import type { GatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import type { ServerFrame } from "../../shared/protocol/frame.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { DeliveryPolicy } from "../../shared/settings/policy.ts";
import type { StreamSettings } from "../../shared/streams/kept.ts";
import type { Ports, Tables } from "./ports.ts";
import type { Scenario } from "./scenario.ts";
import type { Actor } from "./scheduler.ts";
import type { Simulation } from "./world.ts";

/** A bug planted around the pipeline, to see whether the rules notice. */
export interface Mutant {
  readonly why: string;
  /** Ports that every function sees instead of its own. */
  readonly ports?: (ports: Ports, world: Simulation, actor: Actor) => Partial<Ports>;
  /** Tables that do not do what their port says. */
  readonly tables?: (tables: Tables, world: Simulation) => Partial<Tables>;
  /** What the consumer does by another policy than the rules know. */
  readonly policy?: (policy: DeliveryPolicy) => Partial<DeliveryPolicy>;
  /** What a container of the consumer learns from its sends. */
  readonly memory?: (memory: GatewayMemory) => Partial<GatewayMemory>;
  /** A queue body as the consumer reads it. */
  readonly body?: (text: string) => string;
  /** When a run believes that it ends. Milliseconds since 1970. */
  readonly end?: (end: number) => number;
  /** What a client believes of its place in a stream. */
  readonly place?: <M extends Numbered>(place: Stream<M>, anew: (start: number) => Stream<M>) => Stream<M>;
  /** A client gives its position out while a handler is still busy with the message. */
  readonly isEarly?: boolean;
  /** What a client reads, as the router has answered. */
  readonly reply?: (reply: ServerFrame, world: Simulation, user: UserId) => ServerFrame;
  /** How much of streams is kept, as functions that answer clients know it. */
  readonly kept?: (settings: StreamSettings) => StreamSettings;
  /** A seed from which on it shows soon, 1 if absent: tests begin there. */
  readonly seed?: number;
  /** Where it shows, if not in the simulation as it is by default. */
  readonly in?: Scenario;
}
