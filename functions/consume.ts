import pLimit from "p-limit";
import { type ConsumeDeps, consume, type Run } from "../shared/pipeline/consume/consume.ts";
import type { Received } from "../shared/pipeline/consume/record.ts";
import type { Gateway } from "../shared/pipeline/deliver/gateway.ts";
import type { BeatLoop } from "../shared/pipeline/quota/beat-loop.ts";
import { rememberedHeads } from "../shared/pipeline/streams/heads.ts";
import type { Connections, MessageQueue, Receipts, Subscriptions } from "../shared/ports.ts";
import { laneWeight } from "../shared/protocol/lane.ts";
import { visibilitySeconds } from "../shared/settings/derived.ts";
import { deliveryPolicy } from "../shared/settings/policy.ts";
import type { HandlerPorts, StreamPorts } from "./ports.ts";
import { newIds } from "./runtime/new-id.ts";

export interface ConsumePorts extends HandlerPorts, StreamPorts, Pick<ConsumeDeps, "suspectSeconds"> {
  readonly queue: MessageQueue;
  readonly receipts: Receipts;
  readonly subscriptions: Subscriptions;
  readonly connections: Connections;
  /** Made once: runs share what it learns of the gateway. */
  readonly gateway: Gateway;
  /** @default the process shares the account's quota with no other */
  readonly beats?: BeatLoop;
}

/** Processes a batch of a lane. Returns the ids of the records that the lane keeps. */
export function consumeHandler({ telemetry: newTelemetry, streams, beats, ...ports }: ConsumePorts) {
  const { clock, settings } = ports;
  const policy = deliveryPolicy(settings);
  const deps: Omit<ConsumeDeps, "telemetry"> = {
    ...ports,
    ...(streams ? { streams: { table: streams, heads: rememberedHeads(clock), kept: settings } } : {}),
    newId: newIds(clock, ports.random),
    policy,
    // Made once: to make one costs as much as a send.
    limiter: pLimit(policy.sendsInFlight),
    visibilitySeconds: visibilitySeconds(settings),
  };
  return async (received: readonly Received[], run: Run): Promise<string[]> => {
    const telemetry = newTelemetry();
    const beating = beats?.start(Math.max(...received.map(({ lane }) => laneWeight(lane))), telemetry);
    const kept = await consume({ telemetry, ...deps }, received, run).finally(() => beating?.end());
    telemetry.flush();
    return kept;
  };
}
