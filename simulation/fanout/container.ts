import { consumeHandler } from "../../functions/consume.ts";
import { gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import { beatLoop } from "../../shared/pipeline/quota/beat-loop.ts";
import { quotaShare } from "../../shared/pipeline/quota/share.ts";
import type {
  Clock,
  Connections,
  MessageQueue,
  QuotaBeats,
  Receipts,
  Sockets,
  Subscriptions,
} from "../../shared/ports.ts";
import { reservedConcurrency } from "../../shared/settings/derived.ts";
import { deliveryPolicy, sendsPerSecondOf } from "../../shared/settings/policy.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";

/** What all containers of the consumer stand on. */
export interface Ground {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly queue: MessageQueue;
  readonly receipts: Receipts;
  readonly subscriptions: Subscriptions;
  readonly connections: Connections;
  readonly sockets: Pick<Sockets, "send" | "probe">;
  readonly beats: QuotaBeats;
  /** What a planted bug makes of the weight of a run. */
  readonly weightOf: (weight: number) => number;
}

/** One container of the consumer, as it is deployed: the same handler, with its own share of the quota. */
export function consumerContainer(id: string, ground: Ground): ReturnType<typeof consumeHandler> {
  const { settings, clock, random, queue, receipts, subscriptions, connections, sockets } = ground;
  const policy = deliveryPolicy(settings);
  const share = quotaShare({
    id,
    capacity: sendsPerSecondOf(settings),
    runs: reservedConcurrency(settings),
    clock,
  });
  const memory = gatewayMemory(policy, share);
  const loop = beatLoop({ share, beats: ground.beats, clock });
  return consumeHandler({
    ...{ settings, clock, random, queue, receipts, subscriptions, connections },
    gateway: gateway(memory, { sockets, clock }),
    quota: {
      beats: { ...loop, start: (weight, telemetry) => loop.start(ground.weightOf(weight), telemetry) },
      decreases: () => memory.limiter.decreases(),
    },
    telemetry: () => ({ ...memoryTelemetry(), flush() {} }),
  });
}
