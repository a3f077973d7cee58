import pLimit from "p-limit";
import { expect, test } from "vitest";
import type { StopReason } from "../../shared/pipeline/deliver/delivery.ts";
import { gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import { sendPool } from "../../shared/pipeline/deliver/send-pool.ts";
import type { SendResult } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { NO_PROGRESS, type Recipient } from "../../shared/receipts/receipt.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memorySockets } from "../../testing/memory/sockets.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";

const recipient = (name: string): Recipient => ({ connectionId: `${name}=` as ConnectionId, connectedAt: 1 });
const [A, B, C] = [recipient("a"), recipient("b"), recipient("c")];
const FIRST = { isLate: false };

/** A pool over open sockets that has sent `sent` frames of `bytes` bytes in earlier runs. */
function pool({ bytes = 2, sent = 0, stop = (): StopReason | undefined => undefined, concurrency = 2 } = {}) {
  const [sockets, telemetry, clock] = [memorySockets(), memoryTelemetry(), memoryClock()];
  for (const { connectionId } of [A, B, C]) sockets.open(connectionId);
  const removed: Recipient[] = [];
  const memory = gatewayMemory({ quotaRequestsPerSecond: 1e9, quotaFraction: 1 });
  const sends = sendPool(
    { gateway: gateway(memory, { sockets, clock }), telemetry },
    {
      frame: Buffer.alloc(bytes, "x"),
      fields: () => ({}),
      progress: { ...NO_PROGRESS, counts: { ...NO_PROGRESS.counts, sent } },
      limiter: pLimit(concurrency),
      stop,
      removeConnection: async (gone) => void removed.push(gone),
      pages: (async function* () {})(),
      withdrawal: async () => undefined,
    },
  );
  const fail = ({ connectionId }: Recipient, ...results: SendResult[]) =>
    sockets.fail(connectionId, ...results);
  return { ...sends, interrupt: sends.fail, sockets, telemetry, removed, fail };
}

test("each result has its count, its metric and its consequence", async () => {
  const here = pool();
  here.fail(A, { kind: "gone" });
  here.fail(B, { kind: "refused", reason: "413" });
  await here.sendAll([A, B, C], FIRST);
  expect(here.end()).toEqual({
    counts: { ...NO_PROGRESS.counts, sent: 1, gone: 1, failed: 1 },
    failed: [B.connectionId],
    reason: "413",
  });
  expect(here.removed).toEqual([A]);
  expect([here.busy(), here.unsent(), here.stopped()]).toEqual([[], [], undefined]);
  const totals = (
    ["FramesSent", "ConnectionsGone", "SendsRefused", "SendsBusy", "SendsForbidden"] as const
  ).map((metric) => here.telemetry.total(metric));
  expect(totals).toEqual([1, 1, 1, 0, 0]);
});

test.each<{ result: SendResult; forbidden: number }>([
  { result: { kind: "throttled", reason: "429" }, forbidden: 0 },
  { result: { kind: "unavailable", reason: "503" }, forbidden: 0 },
  { result: { kind: "unavailable", reason: "403", forbidden: true }, forbidden: 1 },
])("a connection is busy after $result, and sent to again by a retry", async ({ result, forbidden }) => {
  const here = pool();
  here.fail(B, result);
  await here.sendAll([A, B], FIRST);
  expect(here.busy()).toEqual([B]);
  expect(here.telemetry.total("SendsBusy")).toBe(1);
  expect(here.telemetry.total("SendsForbidden")).toBe(forbidden);
  await here.retry();
  expect(here.busy()).toEqual([]);
  expect(here.end()).toMatchObject({ counts: { sent: 2 }, reason: "reason" in result ? result.reason : "" });
  expect(here.sockets.frames(A.connectionId)).toHaveLength(1);
});

test.each([
  { bytes: 1, units: 1 },
  { bytes: 32_768, units: 1 },
  { bytes: 32_769, units: 2 },
  { bytes: 131_072, units: 4 },
])("a frame of $bytes bytes is metered as $units messages, each time that it was sent", async ({
  bytes,
  units,
}) => {
  const here = pool({ bytes, sent: 5 });
  await here.sendAll([A, B, C], FIRST);
  expect(here.end().counts.sent).toBe(8);
  expect(here.telemetry.total("FramesSent")).toBe(3);
  expect(here.telemetry.total("MeteredUnits")).toBe(3 * units);
});

test("what was not sent because the delivery had to stop is told, with why", async () => {
  let calls = 0;
  const here = pool({ concurrency: 1, stop: () => (++calls > 1 ? "deadline" : undefined) });
  await here.sendAll([A, B, C], FIRST);
  expect(here.sockets.frames(A.connectionId)).toHaveLength(1);
  expect(here.unsent()).toEqual([B, C]);
  expect(here.stopped()).toBe("deadline");
});

test("of more than a hundred refused connections a hundred are named, and all are counted", async () => {
  const here = pool();
  const many = Array.from({ length: 101 }, (_, n) => recipient(`r${n}`));
  for (const one of many) here.fail(one, { kind: "refused", reason: "400" });
  await here.sendAll(many, FIRST);
  const { counts, failed } = here.end();
  expect([counts.failed, failed.length]).toEqual([101, 100]);
});

test("a fault of the delivery is its reason", () => {
  const here = pool();
  here.interrupt("the table is throttled");
  expect(here.end().reason).toBe("the table is throttled");
});

test("no more sends are in flight than the limiter has places", async () => {
  const here = pool({ concurrency: 2 });
  let now = 0;
  let most = 0;
  const { send } = here.sockets;
  here.sockets.send = async (id, frame) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
    return send(id, frame);
  };
  await here.sendAll([A, B, C], FIRST);
  expect(most).toBe(2);
});
