import { expect, test } from "vitest";
import {
  CLOSED_AT_MOST,
  disconnectConnection,
  disconnectUser,
} from "../../shared/pipeline/socket/disconnect-user.ts";
import { connect } from "../../shared/pipeline/socket/socket.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import { CONNECTING } from "../../shared/protocol/limits.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySockets } from "../../testing/memory/sockets.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { NOW } from "../support/message.ts";

const [ANN, BOB] = ["ann" as UserId, "bob" as UserId];
const MINUTE = 60_000;

function router() {
  const [connections, subscriptions, sockets] = [memoryConnections(), memorySubscriptions(), memorySockets()];
  const clock = memoryClock(NOW);
  let chunks = Number.POSITIVE_INFINITY;
  const deps = { connections, subscriptions, sockets, clock, hasTime: () => chunks-- > 0 };
  let ids = 0;
  const socketDeps = {
    ...deps,
    policy: { maxAgeSeconds: 7_200, rowMarginSeconds: 600 },
    telemetry: memoryTelemetry(),
    random: () => 0.5,
  };
  /** Opens a connection that is `age` old. */
  const open = async (user: UserId, age = MINUTE, exp = NOW / 1_000 + 3_600, socket = true) => {
    const connectionId = `c${++ids}=` as ConnectionId;
    const identity = {
      sub: user,
      tags: ["region:gd"] as Tag[],
      subscribe: [],
      publish: [],
      admin: false,
      exp,
    };
    await connect(socketDeps, { connectionId, connectedAt: NOW - age }, identity);
    if (socket) sockets.open(connectionId);
    return connectionId;
  };
  const isOpen = async (id: ConnectionId) => (await sockets.send(id, Buffer.from("x"))).kind === "sent";
  const rowsOf = (id: ConnectionId) =>
    subscriptions.rows().filter(({ connectionId }) => connectionId === id).length;
  const timeFor = (count: number) => {
    chunks = count;
  };
  return { deps, connections, subscriptions, sockets, clock, open, isOpen, rowsOf, timeFor };
}

test("all connections of the user are closed with all their rows, and nobody else's; a second time there is nothing to do", async () => {
  const { deps, open, isOpen, subscriptions, connections } = router();
  const ids = [await open(ANN), await open(ANN), await open(ANN)];
  const bob = await open(BOB);
  expect(await disconnectUser(deps, ANN)).toEqual({ ok: true, value: { closed: 3, more: false } });
  for (const id of ids) expect(await isOpen(id)).toBe(false);
  expect(await isOpen(bob)).toBe(true);
  expect(new Set(subscriptions.rows().map(({ connectionId }) => connectionId))).toEqual(new Set([bob]));
  expect(connections.size()).toBe(1);
  expect(await disconnectUser(deps, ANN)).toEqual({ ok: true, value: { closed: 0, more: false } });
});

test("a connection of that time or later is spared, however it is named", async () => {
  const { deps, open, isOpen, rowsOf } = router();
  const [old, fresh] = [await open(ANN, 2 * MINUTE), await open(ANN, MINUTE)];
  const before = NOW - MINUTE;
  expect(await disconnectUser(deps, ANN, before)).toMatchObject({ value: { closed: 1, more: false } });
  expect(await disconnectConnection(deps, fresh, before)).toMatchObject({
    value: { closed: 0, more: false },
  });
  expect([await isOpen(old), await isOpen(fresh)]).toEqual([false, true]);
  expect([rowsOf(old), rowsOf(fresh)]).toEqual([0, 3]);
  expect(await disconnectConnection(deps, fresh, before + 1)).toMatchObject({ value: { closed: 1 } });
});

test("one request closes at most a hundred, and says whether there are more", async () => {
  const { deps, open } = router();
  for (let i = 0; i < CLOSED_AT_MOST + 5; i++) await open(ANN, MINUTE + i);
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: CLOSED_AT_MOST, more: true } });
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: 5, more: false } });
});

test("connections that are spared keep nobody from those behind them", async () => {
  const { deps, open } = router();
  for (let i = 0; i < 700; i++) await open(ANN, 0);
  for (let i = 0; i < 30; i++) await open(ANN, MINUTE);
  expect(await disconnectUser(deps, ANN, NOW)).toMatchObject({ value: { closed: 30, more: false } });
});

test("a run that has no time left closes no more, and says that there are", async () => {
  const { deps, open, timeFor } = router();
  for (let i = 0; i < 30; i++) await open(ANN);
  timeFor(2);
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: 20, more: true } });
  timeFor(9);
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: 10, more: false } });
});

test("a connection whose token has ended is closed too", async () => {
  const { deps, open, isOpen, clock } = router();
  const id = await open(ANN, MINUTE, NOW / 1_000 + 10);
  clock.advance(20_000);
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: 1 } });
  expect(await isOpen(id)).toBe(false);
});

test("rows of a socket that is gone are removed, and not counted", async () => {
  const { deps, open, rowsOf } = router();
  const id = await open(ANN, MINUTE, NOW / 1_000 + 3_600, false);
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: 0, more: false } });
  expect(rowsOf(id)).toBe(0);
});

test("a socket whose $connect has not returned may not be there yet: its rows stay, and more is said to be left", async () => {
  const { deps, open, rowsOf, sockets, clock } = router();
  const id = await open(ANN, 0, NOW / 1_000 + 3_600, false);
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: 0, more: true } });
  expect(await disconnectConnection(deps, id)).toMatchObject({ value: { closed: 0, more: true } });
  expect(rowsOf(id)).toBe(3);
  sockets.open(id);
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: 1, more: false } });
  const never = await open(ANN, 0, NOW / 1_000 + 3_600, false);
  clock.advance(CONNECTING);
  expect(await disconnectConnection(deps, never)).toMatchObject({ value: { closed: 0, more: false } });
  expect(rowsOf(never)).toBe(0);
});

test("a socket without a row is closed by its id", async () => {
  const { deps, sockets, isOpen } = router();
  const id = "unknown=" as ConnectionId;
  sockets.open(id);
  expect(await disconnectConnection(deps, id)).toEqual({ ok: true, value: { closed: 1, more: false } });
  expect(await isOpen(id)).toBe(false);
  expect(await disconnectConnection(deps, id)).toEqual({ ok: true, value: { closed: 0, more: false } });
});

test.each([
  { kind: "unavailable", reason: "503: no" } as const,
  { kind: "throttled", reason: "429: no" } as const,
])("a gateway that is $kind is told, with what was closed; the rows stay, and the request can be made again", async (fault) => {
  const { deps, open, sockets, rowsOf } = router();
  const ids = [await open(ANN), await open(ANN), await open(ANN)];
  const [bad = expect.fail()] = ids;
  sockets.failClose(bad, fault, fault);
  const refused = {
    code: "GATEWAY_UNAVAILABLE",
    retryAfter: 1,
    detail: expect.stringContaining(fault.reason),
  };
  expect(await disconnectUser(deps, ANN)).toMatchObject({ ok: false, refusal: refused });
  expect(await disconnectConnection(deps, bad)).toMatchObject({ ok: false, refusal: refused });
  expect(rowsOf(bad)).toBe(3);
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: 1, more: false } });
});

test("a table that fails leaves the socket closed, and the request can be made again", async () => {
  const { deps, open, isOpen, subscriptions } = router();
  const id = await open(ANN);
  const failing = {
    ...deps.connections,
    delete: () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "no")),
  };
  await expect(disconnectUser({ ...deps, connections: failing }, ANN)).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
  });
  expect(await isOpen(id)).toBe(false);
  expect(await disconnectUser(deps, ANN)).toMatchObject({ value: { closed: 0, more: false } });
  expect(subscriptions.rows()).toEqual([]);
});
