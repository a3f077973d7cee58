import pLimit from "p-limit";
import { consume, type Run } from "../../shared/pipeline/consume/consume.ts";
import type { Received } from "../../shared/pipeline/consume/record.ts";
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
import { laneWeight } from "../../shared/protocol/lane.ts";
import { reservedConcurrency, visibilitySeconds } from "../../shared/settings/derived.ts";
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

/** Processes a batch. Returns the ids of the records that the lane keeps. */
export type Container = (received: readonly Received[], run: Run) => Promise<string[]>;

/** One container of the consumer: what the function does in each run, with a share of the quota of its own. */
export function container(id: string, { settings, beats, weightOf, sockets, ...ports }: Ground): Container {
  const { clock } = ports;
  const policy = deliveryPolicy(settings);
  const capacity = sendsPerSecondOf(settings);
  const share = quotaShare({ id, capacity, runs: reservedConcurrency(settings), clock });
  const loop = beatLoop({ share, beats, clock, requestsPerSecond: settings.quotaRequestsPerSecond });
  let runs = 0;
  const deps = {
    ...{ ...ports, policy, limiter: pLimit(policy.sendsInFlight), telemetry: memoryTelemetry() },
    newId: () => `${id}-${++runs}`,
    visibilitySeconds: visibilitySeconds(settings),
    gateway: gateway(gatewayMemory(policy, share), { sockets, clock }),
  };
  return (received, run) => {
    const weight = weightOf(Math.max(...received.map(({ lane }) => laneWeight(lane))));
    const beating = loop.start(weight, deps.telemetry);
    return consume(deps, received, run).finally(() => beating.end());
  };
}
