import type { DeliveryPolicy } from "../../shared/domain/policy.ts";
import { consume, type Received } from "../../shared/pipeline/consume.ts";
import { type Pace, pace } from "../../shared/pipeline/pace.ts";
import { redriveReceives, type Settings } from "../../shared/settings.ts";
import type { Ports } from "./ports.ts";
import type { Actor } from "./scheduler.ts";

export interface ConsumerWorld {
  readonly settings: Settings;
  readonly policy: DeliveryPolicy;
  readonly ports: (actor: Actor) => Ports;
}

/** The consumer as Lambda runs it: a container serves one run at a time, and one that died serves none any more. */
export function consumer({ settings, policy, ports }: ConsumerWorld) {
  const idle: { readonly pace: Pace }[] = [];
  const limits = { maxReceives: settings.queues.maxReceives, redriveReceives: redriveReceives(settings) };
  return async (actor: Actor, records: readonly Received[], end: number): Promise<readonly string[]> => {
    const container = idle.pop() ?? { pace: pace(policy.pace) };
    const kept = await consume({ ...ports(actor), ...container, ...limits, policy }, records, { end });
    idle.push(container);
    return kept;
  };
}
