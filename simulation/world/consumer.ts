import { consume } from "../../shared/pipeline/consume/consume.ts";
import { bodyTextOf, type Received } from "../../shared/pipeline/consume/record.ts";
import { type GatewayMemory, gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import { type Heads, rememberedHeads } from "../../shared/pipeline/streams/heads.ts";
import type { Clock } from "../../shared/ports.ts";
import { visibilitySeconds } from "../../shared/settings/derived.ts";
import type { DeliveryPolicy } from "../../shared/settings/policy.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { keepsStreams } from "../../shared/streams/kept.ts";
import type { Dice } from "./dice.ts";
import type { Mutant } from "./mutant.ts";
import type { Ports } from "./ports.ts";
import type { Actor } from "./scheduler.ts";

export interface ConsumerWorld {
  readonly settings: Settings;
  readonly policy: DeliveryPolicy;
  readonly ports: (actor: Actor) => Ports;
  readonly mutant?: Mutant | undefined;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly dice: Dice;
}

interface Container {
  readonly number: number;
  readonly memory: GatewayMemory;
  readonly heads: Heads;
}

/** The consumer as Lambda runs it: any idle container serves one run at a time, and one that died serves none any more. */
export function consumer({ settings, policy, ports: portsOf, mutant, clock, dice }: ConsumerWorld) {
  const idle: Container[] = [];
  const hidden = { visibilitySeconds: visibilitySeconds(settings) };
  let started = 0;
  const start = (): Container => {
    const memory = gatewayMemory(policy);
    const heads = rememberedHeads(clock);
    return { number: ++started, memory: { ...memory, ...mutant?.memory?.(memory) }, heads };
  };
  return async (actor: Actor, records: readonly Received[], end: number): Promise<readonly string[]> => {
    const container = (dice.chance(0.7) ? idle.pop() : idle.shift()) ?? start();
    actor.container = container.number;
    const own = portsOf(actor);
    const { streams: table, ...ports } = own;
    const streams = keepsStreams(settings)
      ? { streams: { table, heads: container.heads, kept: settings } }
      : {};
    const deps = { ...ports, ...streams, ...hidden, gateway: gateway(container.memory, own), policy };
    const read = mutant?.body;
    const received = read
      ? records.map((record) => ({ ...record, body: read(bodyTextOf(record)) }))
      : records;
    const kept = await consume(deps, received, { end: mutant?.end?.(end) ?? end });
    idle.push(container);
    return kept;
  };
}
