import { describe, expect, test } from "vitest";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { audience, BUSY, GONE, NEW, REFUSED, rowsOf } from "../support/audience.ts";
import { NOW } from "../support/message.ts";

describe("one run", () => {
  test("posts to each connection once, never more at a time than it may", async () => {
    const { run, rows, got, most, telemetry } = audience(rowsOf(20));
    expect(await run()).toStrictEqual({
      progress: { ...NO_PROGRESS, counts: { sent: 20, gone: 0, failed: 0 } },
    });
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
    const { progress, stopped } = await run({ withdrawal: async () => "cancelled" });
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
