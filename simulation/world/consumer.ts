import type { DeliveryPolicy } from "../../shared/domain/policy.ts";
import { consume } from "../../shared/pipeline/consume.ts";
import { type GatewayMemory, gateway, gatewayMemory } from "../../shared/pipeline/gateway.ts";
import type { Received } from "../../shared/pipeline/record.ts";
import { type Settings, visibilitySeconds } from "../../shared/settings.ts";
import type { Ports } from "./ports.ts";
import type { Actor } from "./scheduler.ts";

export interface ConsumerWorld {
  readonly settings: Settings;
  readonly policy: DeliveryPolicy;
  readonly ports: (actor: Actor) => Ports;
}

/** The consumer as Lambda runs it: a container serves one run at a time, and one that died serves none any more. */
export function consumer({ settings, policy, ports }: ConsumerWorld) {
  const idle: GatewayMemory[] = [];
  const hidden = { visibilitySeconds: visibilitySeconds(settings) };
  return async (actor: Actor, records: readonly Received[], end: number): Promise<readonly string[]> => {
    const memory = idle.pop() ?? gatewayMemory(policy.pace);
    const own = ports(actor);
    const kept = await consume({ ...own, ...hidden, gateway: gateway(memory, own), policy }, records, {
      end,
    });
    idle.push(memory);
    return kept;
  };
}
