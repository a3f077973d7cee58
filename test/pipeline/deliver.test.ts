import fc from "fast-check";
import pLimit from "p-limit";
import { describe, expect, test } from "vitest";
import { deliver } from "../../shared/pipeline/deliver/deliver.ts";
import type { Delivered, StopReason } from "../../shared/pipeline/deliver/delivery.ts";
import { gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import type { IndexEntry, SendResult } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { sortKey, WHOLE } from "../../shared/receipts/hash-range.ts";
import { NO_PROGRESS, type Progress } from "../../shared/receipts/receipt.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memorySockets } from "../../testing/memory/sockets.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { NOW } from "../support/message.ts";

const FRAME = Buffer.from("{}");
const BUSY: SendResult = { kind: "unavailable", reason: "503" };
const REFUSED: SendResult = { kind: "refused", reason: "413" };
const GONE: SendResult = { kind: "gone" };
const NEW: Progress = { ...NO_PROGRESS, from: WHOLE.from };

/** The rows of so many connections, as routing finds them. */
const rowsOf = (count: number): readonly IndexEntry[] =>
  Array.from({ length: count }, (_, i) => `c${i}=` as ConnectionId)
    .map((connectionId) => ({ connectionId, connectedAt: NOW, key: sortKey(connectionId) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));

interface Options {
  readonly progress?: Progress;
  readonly inFlight?: number;
  readonly pageSize?: number;
  readonly attempts?: number;
  readonly pendingLimit?: number;
  /** Posts per second. */
  readonly quota?: number;
  readonly stop?: () => StopReason | undefined;
  readonly isCancelled?: () => Promise<boolean>;
  /** The page that cannot be read. */
  readonly brokenPage?: number;
}

/** An audience with its sockets, and runs that deliver to it one after the other. */
function audience(rows: readonly IndexEntry[]) {
  const [sockets, telemetry, clock] = [memorySockets(), memoryTelemetry(), memoryClock()];
  for (const { connectionId } of rows) sockets.open(connectionId);
  const forgotten: string[] = [];
  let posts = 0;
  let most = 0;
  const counted = {
    probe: () => sockets.probe(),
    async send(id: ConnectionId, frame: Uint8Array) {
      most = Math.max(most, ++posts);
      const ending = await sockets.send(id, frame);
      posts--;
      return ending;
    },
  };
  const run = (options: Options = {}): Promise<Delivered> => {
    const {
      progress = NEW,
      pageSize = 3,
      inFlight = 4,
      attempts = 3,
      pendingLimit = 100,
      quota = 1e9,
    } = options;
    const { stop = () => undefined, isCancelled = async () => false } = options;
    async function* pages() {
      const { from } = progress;
      if (from === undefined) return;
      const left = rows.filter(({ key }) => key >= from);
      for (let at = 0, page = 0; at < left.length; at += pageSize, page++) {
        if (page === options.brokenPage) throw new Error("table unavailable");
        yield left.slice(at, at + pageSize);
      }
    }
    return deliver(
      {
        gateway: gateway(gatewayMemory({ quotaRequestsPerSecond: quota, quotaFraction: 1 }), {
          sockets: counted,
          clock,
        }),
        clock,
        telemetry,
        random: () => 0.5,
        policy: {
          sendAttempts: attempts,
          pause: { baseMilliseconds: 100, capMilliseconds: 1_000 },
          pendingLimit,
        },
      },
      {
        frame: FRAME,
        progress,
        pages: pages(),
        limiter: pLimit(inFlight),
        removeConnection: async ({ connectionId }) => void forgotten.push(connectionId),
        stop,
        isCancelled,
      },
    );
  };
  const got = (id: ConnectionId) => sockets.frames(id).length;
  return { run, sockets, telemetry, clock, forgotten, got, rows, most: () => most };
}

describe("one run", () => {
  test("posts to each connection once, never more at a time than it may", async () => {
    const { run, rows, got, most, telemetry } = audience(rowsOf(20));
    expect(await run()).toEqual({ progress: { ...NO_PROGRESS, counts: { sent: 20, gone: 0, failed: 0 } } });
    expect(rows.map(({ connectionId }) => got(connectionId))).toEqual(rows.map(() => 1));
    expect(most()).toBe(3);
    expect(telemetry.total("FramesSent")).toBe(20);
  });

  test("tells endings apart, and forgets who is gone and nobody else", async () => {
    const { run, rows, sockets, forgotten } = audience(rowsOf(3));
    const [gone, refused] = rows.map(({ connectionId }) => connectionId) as [ConnectionId, ConnectionId];
    sockets.fail(gone, GONE);
    sockets.fail(refused, REFUSED);
    expect(await run()).toEqual({
      progress: { ...NO_PROGRESS, counts: { sent: 1, gone: 1, failed: 1 }, failed: [refused] },
      reason: "413",
    });
    expect(forgotten).toEqual([gone]);
  });

  test("tries a busy connection again after a pause, and the others no second time", async () => {
    const { run, rows, sockets, got, clock } = audience(rowsOf(3));
    const busy = rows[1]?.connectionId as ConnectionId;
    sockets.fail(busy, BUSY, BUSY);
    const { progress } = await run();
    expect(progress).toMatchObject({ counts: { sent: 3 }, pending: [] });
    expect(rows.map(({ connectionId }) => got(connectionId))).toEqual([1, 1, 1]);
    // Half of 100, then half of 200: full jitter at 0.5.
    expect(clock.now() - memoryClock().now()).toBe(150);
  });

  test("leaves what stays busy to the next, with the reason", async () => {
    const { run, rows, sockets } = audience(rowsOf(3));
    const busy = rows[1]?.connectionId as ConnectionId;
    sockets.fail(busy, BUSY, BUSY, BUSY);
    expect(await run()).toEqual({
      progress: {
        ...NO_PROGRESS,
        counts: { sent: 2, gone: 0, failed: 0 },
        pending: [expect.objectContaining({ connectionId: busy, connectedAt: NOW })],
      },
      reason: "503",
    });
  });

  test("starts nothing when its time is up before it begins", async () => {
    const { run, rows, got } = audience(rowsOf(3));
    expect(await run({ stop: () => "deadline" })).toMatchObject({ progress: NEW, stopped: "deadline" });
    expect(rows.map(({ connectionId }) => got(connectionId))).toEqual([0, 0, 0]);
  });

  test("is over soon after its time is up, however slowly it posts", async () => {
    const { run, clock } = audience(rowsOf(200));
    const end = clock.now() + 1_000;
    const stop = () => (clock.now() >= end ? "deadline" : undefined);
    const { progress, stopped } = await run({ stop, quota: 10, pageSize: 200 });
    expect(stopped).toBe("deadline");
    expect(progress.counts.sent + progress.pending.length).toBe(200);
    expect(clock.now()).toBeLessThan(end + 1_000);
  });

  test("stops between two pages when the message is cancelled", async () => {
    const { run } = audience(rowsOf(9));
    const { progress, stopped } = await run({ isCancelled: async () => true });
    expect(stopped).toBe("cancelled");
    expect(progress.counts.sent).toBe(3);
  });

  test("stops taking on more when too many are busy already", async () => {
    const { run, rows, sockets } = audience(rowsOf(9));
    for (const { connectionId } of rows) sockets.fail(connectionId, BUSY);
    const { progress, stopped } = await run({ pendingLimit: 5 });
    expect(stopped).toBe("pending-limit");
    expect(progress.pending).toHaveLength(6);
    expect(progress.from).toBeDefined();
  });

  test("keeps what it has done when the index cannot be read any more", async () => {
    const { run, got, rows } = audience(rowsOf(9));
    const first = await run({ brokenPage: 2 });
    expect(first).toMatchObject({
      stopped: "fault",
      reason: "table unavailable",
      progress: { counts: { sent: 6 } },
    });
    expect(await run({ progress: first.progress })).toMatchObject({ progress: { counts: { sent: 9 } } });
    expect(rows.map(({ connectionId }) => got(connectionId))).toEqual(rows.map(() => 1));
  });

  test("names a hundred connections that failed, and counts them all", async () => {
    const { run, rows, sockets } = audience(rowsOf(120));
    for (const { connectionId } of rows) sockets.fail(connectionId, REFUSED);
    const { progress } = await run();
    expect(progress.counts.failed).toBe(120);
    expect(progress.failed).toHaveLength(100);
  });
});

test("however runs are cut short and posts fail, each connection has one ending, and who got a frame got one", async () => {
  const endings = fc.constantFrom(BUSY, BUSY, BUSY, REFUSED, GONE);
  const plans = fc.array(fc.array(endings, { maxLength: 8 }), { minLength: 1, maxLength: 15 });
  const runs = fc.array(
    fc.record({
      posts: fc.nat(20),
      pageSize: fc.integer({ min: 1, max: 5 }),
      inFlight: fc.integer({ min: 1, max: 5 }),
      attempts: fc.integer({ min: 1, max: 3 }),
      pendingLimit: fc.integer({ min: 1, max: 6 }),
      brokenPage: fc.option(fc.nat(4), { nil: 99 }),
    }),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(plans, runs, async (plan, cut) => {
      const { run, rows, sockets, got, forgotten } = audience(rowsOf(plan.length));
      for (const [i, { connectionId }] of rows.entries()) sockets.fail(connectionId, ...(plan[i] ?? []));
      let progress = NEW;
      // Then as many whole runs as the longest streak of bad luck may need.
      for (const options of [...cut, ...Array.from({ length: 20 }, () => ({ posts: 1_000 }))]) {
        let asked = 0;
        const stop = () => (asked++ >= options.posts ? ("deadline" as const) : undefined);
        ({ progress } = await run({ ...options, stop, progress }));
      }
      const first = plan.map((bad) => bad.find(({ kind }) => kind !== "unavailable")?.kind ?? "sent");
      const count = (kind: string) => first.filter((one) => one === kind).length;
      expect(progress).toEqual({
        counts: { sent: count("sent"), gone: count("gone"), failed: count("refused") },
        pending: [],
        failed: expect.any(Array),
        rounds: 0,
      });
      expect(rows.map(({ connectionId }) => got(connectionId))).toEqual(
        first.map((kind) => (kind === "sent" ? 1 : 0)),
      );
      expect(forgotten).toHaveLength(count("gone"));
      expect(progress.failed).toHaveLength(count("refused"));
    }),
    { numRuns: 300 },
  );
});
