import { describe, expect, test } from "vitest";
import type { SendResult } from "../../shared/ports.ts";
import { METERED_BYTES } from "../../shared/protocol/limits.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import type { Progress } from "../../shared/receipts/receipt.ts";
import { audience, BUSY, container, GONE, NEW, REFUSED, rowsOf } from "../support/audience.ts";

const FORBIDDEN: SendResult = { kind: "unavailable", reason: "403", forbidden: true };
/** Every page has been read. */
const { from: _, ...FINISHED } = NEW;
const idsOf = (rows: ReturnType<typeof rowsOf>) => rows.map(({ connectionId }) => connectionId);
const times = (count: number, result: SendResult) => Array<SendResult>(count).fill(result);

/** A crowd of six, of which the first three are pending from an earlier run. */
function halfServed() {
  const rows = rowsOf(6);
  const crowd = audience(rows);
  const pending = rows.slice(0, 3);
  const progress: Progress = { ...NEW, from: rows[3]?.key ?? "", pending };
  return { ...crowd, progress, pending: idsOf(pending), others: idsOf(rows.slice(3)) };
}

describe("the pending connections of earlier runs", () => {
  test("are sent to after the pages", async () => {
    const { run, progress, pending, others, calls } = halfServed();
    expect(await run({ progress, pendingLimit: 4 })).toMatchObject({ progress: { counts: { sent: 6 } } });
    expect(calls()).toEqual([...others, ...pending]);
  });

  test("are sent to first if there are as many as a receipt may hold, or no page could ever be read", async () => {
    const { run, progress, pending, others, calls } = halfServed();
    expect(await run({ progress, pendingLimit: 3 })).toMatchObject({ progress: { counts: { sent: 6 } } });
    expect(calls()).toEqual([...pending, ...others]);
  });

  test("count with the busy ones of this run: no page is read once a receipt is full", async () => {
    const { run, progress, sockets, others, calls } = halfServed();
    for (const id of others) sockets.fail(id, BUSY);
    const { stopped, progress: left } = await run({ progress, pageSize: 1, pendingLimit: 5 });
    expect(stopped).toBe("pending-limit");
    expect(calls()).toEqual(others.slice(0, 2));
    expect(left.pending).toHaveLength(5);
  });

  test("keep their place if the run has to stop before it reaches them", async () => {
    const { run, progress, calls } = halfServed();
    let asked = 0;
    // Once before the pages, once before the page, and once for each of its sends.
    const stop = () => (++asked > 3 ? ("deadline" as const) : undefined);
    const { stopped, progress: left } = await run({ progress, stop, pageSize: 1 });
    expect(stopped).toBe("deadline");
    expect(calls()).toHaveLength(1);
    expect(left).toMatchObject({ pending: progress.pending, counts: { sent: 1 } });
    expect(left.from).toBeDefined();
  });
});

describe("a run that stops", () => {
  test("between two pages leaves the second in the index, and notes no connection of it", async () => {
    const { run, clock, sockets, rows } = audience(rowsOf(6));
    const { send } = sockets;
    sockets.send = async (id, frame) => {
      clock.advance(1_000);
      return send(id, frame);
    };
    const end = clock.now() + 3_000;
    const stop = () => (clock.now() >= end ? ("deadline" as const) : undefined);
    const { progress, stopped } = await run({ stop, sendsInFlight: 1 });
    expect(stopped).toBe("deadline");
    expect(progress).toMatchObject({ counts: { sent: 3 }, pending: [] });
    expect(await run({ progress })).toMatchObject({ progress: { counts: { sent: 6 }, pending: [] } });
    expect(rows.map(({ connectionId }) => sockets.frames(connectionId).length)).toEqual(rows.map(() => 1));
  });

  test("sends nothing after its end, though its sends wait for their turn", async () => {
    const { run, clock, sends } = audience(rowsOf(50));
    const end = clock.now() + 1_000;
    const stop = () => (clock.now() >= end ? ("deadline" as const) : undefined);
    const { progress, stopped } = await run({ stop, quota: 10, pageSize: 50 });
    expect(stopped).toBe("deadline");
    expect(sends.length).toBeGreaterThan(0);
    expect(sends.filter(({ at }) => at >= end)).toEqual([]);
    expect(progress.counts.sent + progress.pending.length).toBe(50);
  });

  test("does not pause for a retry", async () => {
    const { run, clock, sockets, rows, calls } = audience(rowsOf(1));
    sockets.fail(idsOf(rows)[0] as ConnectionId, ...times(9, BUSY));
    const begin = clock.now();
    const stop = () => (calls().length > 0 ? ("expired" as const) : undefined);
    const { progress } = await run({ stop });
    expect(progress.pending).toHaveLength(1);
    expect(clock.now()).toBe(begin);
  });

  test("says why, if the gateway went down before all were sent to", async () => {
    const { run, calls } = audience(rowsOf(3));
    const stop = () => (calls().length > 0 ? ("gateway-down" as const) : undefined);
    expect(await run({ stop, sendsInFlight: 1 })).toMatchObject({
      stopped: "gateway-down",
      progress: { counts: { sent: 1 }, pending: [expect.anything(), expect.anything()] },
    });
  });
});

test("sends that wait for their turn are all made if nothing stops the run", async () => {
  const { run, clock } = audience(rowsOf(20));
  const begin = clock.now();
  const delivered = await run({ quota: 40, pageSize: 20 });
  expect(delivered).toStrictEqual({
    progress: { counts: { sent: 20, gone: 0, failed: 0 }, pending: [], failed: [], rounds: 0 },
  });
  expect(clock.now()).toBeGreaterThan(begin + 1_000);
});

describe("retries", () => {
  // After three failures in a row the container knows the connection as busy.
  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
  ])("with %i attempts a busy connection is sent to %i times", async (attempts, sends) => {
    const { run, rows, sockets, calls } = audience(rowsOf(3));
    const [busy] = idsOf(rows) as [ConnectionId];
    sockets.fail(busy, ...times(9, BUSY));
    const { progress } = await run({ attempts });
    expect(calls().filter((id) => id === busy)).toHaveLength(sends);
    expect(progress.pending).toHaveLength(1);
  });

  test("stop when the message is cancelled in the pause, and what is left is not sent to", async () => {
    const { run, rows, sockets, calls } = audience(rowsOf(2));
    const [busy] = idsOf(rows) as [ConnectionId];
    sockets.fail(busy, BUSY);
    const { progress, stopped } = await run({ withdrawal: async () => "cancelled" });
    expect(stopped).toBe("cancelled");
    expect(progress).toMatchObject({ counts: { sent: 1 }, pending: [{ connectionId: busy }] });
    expect(calls()).toHaveLength(2);
  });

  test("are not made for connections that the container knows as busy: the run ends at once", async () => {
    const { run, rows, sockets, clock, calls } = audience(rowsOf(2));
    const memory = container();
    for (const id of idsOf(rows)) sockets.fail(id, ...times(9, BUSY));
    await run({ memory });
    const [begin, before] = [clock.now(), calls().length];
    const { progress, reason } = await run({ memory });
    expect(progress.pending).toHaveLength(2);
    expect(reason).toBe("503");
    expect([clock.now(), calls().length]).toEqual([begin, before]);
  });

  test("are made for the others, and do not reach a connection that is known as busy", async () => {
    const { run, rows, sockets, calls, got } = audience(rowsOf(2));
    const memory = container();
    const [slow, fresh] = idsOf(rows) as [ConnectionId, ConnectionId];
    sockets.fail(slow, ...times(9, BUSY));
    await run({ memory, progress: { ...FINISHED, pending: rows.slice(0, 1) } });
    const before = calls().filter((id) => id === slow).length;
    sockets.fail(fresh, BUSY);
    const { progress } = await run({ memory, pause: 5_000 });
    expect(got(fresh)).toBe(1);
    expect(progress.pending).toMatchObject([{ connectionId: slow }]);
    expect(calls().filter((id) => id === slow)).toHaveLength(before);
  });
});

test("a busy connection is asked again after a second if it is pending, and after 30 if a page names it", async () => {
  const { run, rows, sockets, clock, calls } = audience(rowsOf(1));
  const memory = container();
  sockets.fail(idsOf(rows)[0] as ConnectionId, ...times(5, BUSY));
  await run({ memory });
  expect(calls()).toHaveLength(3);
  clock.advance(2_000);
  await run({ memory });
  expect(calls()).toHaveLength(3);
  await run({ memory, progress: { ...FINISHED, pending: rows } });
  expect(calls()).toHaveLength(4);
});

test("a connection to which another message is on its way is left pending, and the run says so", async () => {
  const { run, rows, sockets, clock } = audience(rowsOf(1));
  const memory = container();
  const { send } = sockets;
  sockets.fail(idsOf(rows)[0] as ConnectionId, ...times(3, BUSY));
  await run({ memory });
  clock.advance(30_000);
  let answer = (_: SendResult) => {};
  sockets.send = () =>
    new Promise<SendResult>((resolve) => {
      answer = resolve;
    });
  const first = run({ memory });
  const second = await run({ memory });
  expect(second).toMatchObject({ stopped: "waiting", progress: { pending: [{}], counts: { sent: 0 } } });
  sockets.send = send;
  answer({ kind: "sent" });
  expect((await first).progress.counts.sent).toBe(1);
  expect((await first).stopped).toBeUndefined();
});

test("the metrics count what this run sent, and what earlier runs sent no second time", async () => {
  const { run, rows, sockets, telemetry } = audience(rowsOf(8));
  const [gone, refused, busy, forbidden] = idsOf(rows) as [
    ConnectionId,
    ConnectionId,
    ConnectionId,
    ConnectionId,
  ];
  sockets.fail(gone, GONE);
  sockets.fail(refused, REFUSED);
  sockets.fail(busy, BUSY, BUSY);
  sockets.fail(forbidden, FORBIDDEN);
  const named = "refused-before=" as ConnectionId;
  const progress = { ...NEW, counts: { sent: 100, gone: 10, failed: 1 }, failed: [named] };
  const delivered = await run({ progress, frame: Buffer.alloc(2 * METERED_BYTES + 1) });
  expect(delivered.progress).toMatchObject({
    counts: { sent: 106, gone: 11, failed: 2 },
    failed: [named, refused],
  });
  const totals = [
    "FramesSent",
    "MeteredUnits",
    "ConnectionsGone",
    "SendsBusy",
    "SendsForbidden",
    "SendsRefused",
  ];
  expect(totals.map((name) => telemetry.total(name as "FramesSent"))).toEqual([6, 18, 1, 3, 1, 1]);
});

test("a fault while pages are read is a warning with its reason, and says of which message", async () => {
  const { run, telemetry } = audience(rowsOf(3));
  expect(await run({ brokenPage: 0 })).toMatchObject({ stopped: "fault", reason: "table unavailable" });
  expect(telemetry.warnings).toMatchObject([{ event: "delivery interrupted", fields: { messageId: "one" } }]);
});
