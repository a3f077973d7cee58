import { describe, expect, test } from "vitest";
import { consume } from "../../shared/pipeline/consume/consume.ts";
import { gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import type { SendResult } from "../../shared/ports.ts";
import type { Message } from "../../shared/protocol/message.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { visibilitySeconds } from "../../shared/settings/derived.ts";
import { deliveryPolicy } from "../../shared/settings/policy.ts";
import { settings } from "../../shared/settings/settings.ts";
import { dice } from "../../simulation/world/dice.ts";
import { scheduler } from "../../simulation/world/scheduler.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { aMessageOf, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

const HEALTHY = 1_000;
const SLOW = 10;
const MESSAGES = 40;
/** Milliseconds that a send takes. */
const LATENCY = 10;

interface SlowClient {
  readonly result: SendResult;
  readonly after: number;
}

/** Milliseconds until the last healthy client has the last message, one batch of messages after the other. */
async function timeOf(slow: SlowClient | undefined, batch: number): Promise<number> {
  const { now, sleep, run } = scheduler(dice("slow"), NOW);
  const clock = { now, monotonic: now, pause: sleep };
  const policy = deliveryPolicy(settings());
  const subscriptions = memorySubscriptions();
  const slowIds = new Set<ConnectionId>();
  for (let i = 0; i < HEALTHY + SLOW; i++) {
    const connectionId = `client-${i}=` as ConnectionId;
    const isSlow = i >= HEALTHY;
    if (isSlow) slowIds.add(connectionId);
    if (!isSlow || slow)
      await subscriptions.add(["topic:orders" as Tag], { connectionId, connectedAt: 0 }, NOW * 2);
  }
  let last = 0;
  let frames = 0;
  const sockets = {
    probe: async () => "up" as const,
    async send(id: ConnectionId, frame: Uint8Array): Promise<SendResult> {
      if (slow && slowIds.has(id)) {
        await sleep(slow.after);
        return slow.result;
      }
      await sleep(LATENCY);
      frames++;
      if ((JSON.parse(new TextDecoder().decode(frame)) as Message).id === `m-${MESSAGES}`) last = now();
      return { kind: "sent" };
    },
  };
  let ids = 0;
  const deps = {
    connections: memoryConnections(),
    subscriptions,
    receipts: memoryReceipts(),
    queue: memoryQueue(),
    gateway: gateway(gatewayMemory(policy), { sockets, clock }),
    telemetry: memoryTelemetry(),
    clock,
    policy,
    random: () => 0.5,
    newId: () => `run-${++ids}`,
    visibilitySeconds: visibilitySeconds(settings()),
  };
  const all = async () => {
    for (let first = 1; first <= MESSAGES; first += batch) {
      const records = Array.from({ length: batch }, (_, i) => received(aMessageOf(`m-${first + i}`)));
      await consume(deps, records, { end: now() + 60_000 });
    }
  };
  let over = false;
  void all().finally(() => {
    over = true;
  });
  // Nobody waits for the clock before the first lists are read.
  await new Promise(setImmediate);
  await run(() => over);
  expect(frames).toBe(HEALTHY * MESSAGES);
  return last - NOW;
}

describe.each([
  1, 10,
])("of 40 messages in batches of %d to a thousand healthy and ten slow clients", (batch) => {
  test.each([
    { slow: "answer 429 at once", result: { kind: "throttled", reason: "429" }, after: 1, most: 1.2 },
    {
      slow: "do not answer in time",
      result: { kind: "unavailable", reason: "timeout" },
      after: 3_000,
      most: 1.4,
    },
  ] as const)("the last is with the healthy ones in time, where the slow $slow", async ({
    result,
    after,
    most,
  }) => {
    const alone = await timeOf(undefined, batch);
    const beside = await timeOf({ result, after }, batch);
    expect(beside / alone, `${beside} ms beside slow ones, ${alone} ms alone`).toBeLessThan(most);
  });
});
