import { describe, expect, test } from "vitest";
import { removeConnection } from "../../shared/pipeline/socket/remove-connection.ts";
import { answer, connect, disconnect } from "../../shared/pipeline/socket/socket.ts";
import type { Connections, Subscriptions } from "../../shared/ports.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { memoryTokens } from "../../testing/memory/tokens.ts";
import { NOW } from "../support/message.ts";
import { ANN, SOCKET } from "./side-by-side.ts";

const NO_TABLE = () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled"));
/** The tags that a connection of Ann has by itself. */
const OWN = ["everyone", "user:ann", "region:gd"];

/** A socket function over memory adapters, parts of which a test may replace. */
function socketFunction({
  connections = {} as Partial<Connections>,
  subscriptions = {} as Partial<Subscriptions>,
  frameLimit = (): number | undefined => undefined,
} = {}) {
  const tables = { connections: memoryConnections(), subscriptions: memorySubscriptions() };
  const [clock, telemetry] = [memoryClock(NOW), memoryTelemetry()];
  const deps = {
    connections: { ...tables.connections, ...connections },
    subscriptions: { ...tables.subscriptions, ...subscriptions },
    ...{ clock, telemetry, frameLimit, random: () => 0.5, tokens: memoryTokens() },
    policy: { maxAgeSeconds: 7_200, rowMarginSeconds: 600 },
  };
  return {
    ...{ tables, clock, telemetry, deps },
    open: (identity: Partial<typeof ANN> = {}) => connect(deps, SOCKET, { ...ANN, ...identity }),
    close: () => disconnect(deps, SOCKET),
    ask: (frame: object | string) =>
      answer(deps, SOCKET.connectionId, typeof frame === "string" ? frame : JSON.stringify(frame)),
    listed: () => tables.subscriptions.rows().map(({ tag }) => tag),
  };
}

describe("a connect", () => {
  test("writes a row and a list row for each tag, once, and is counted", async () => {
    const { open, tables, listed, telemetry } = socketFunction();
    expect(await open({ tags: ["region:gd", "region:gd"] as Tag[] })).toEqual({ ok: true, value: undefined });
    expect(listed()).toEqual(OWN);
    expect(await tables.connections.read(SOCKET.connectionId, NOW)).toMatchObject({
      ...{ ...SOCKET, user: "ann", tags: OWN, subscribe: ["*"] },
      expiresAt: NOW + 3_600_000 + 600_000,
      tokenExpiresAt: NOW + 3_600_000,
    });
    expect(telemetry.total("ConnectionsOpened")).toBe(1);
  });

  test.each([
    { tags: 198, code: undefined },
    { tags: 199, code: "TOO_MANY_TOPICS" },
  ])("with $tags tags of its token has the refusal $code", async ({ tags, code }) => {
    const { open, listed } = socketFunction();
    const result = await open({ tags: Array.from({ length: tags }, (_, n) => `region:${n}` as Tag) });
    expect(result.ok ? undefined : result.refusal).toEqual(
      code && { code, detail: "a connection holds at most 200 tags" },
    );
    expect(listed()).toHaveLength(code ? 0 : 200);
  });

  test("with a token that has ended opens nothing", async () => {
    const { open, listed } = socketFunction();
    expect(await open({ exp: NOW / 1000 })).toMatchObject({
      ok: false,
      refusal: { code: "TOKEN_EXPIRED", detail: expect.stringMatching("the token has expired") },
    });
    expect(listed()).toEqual([]);
  });

  test("that fails takes back what it wrote, and is not counted", async () => {
    const tables = memorySubscriptions();
    const add: Subscriptions["add"] = async (tags, holder, until) => {
      await tables.add(tags.slice(0, 2), holder, until);
      return NO_TABLE();
    };
    const here = socketFunction({ subscriptions: { add, remove: tables.remove } });
    await expect(here.open()).rejects.toThrow("throttled");
    expect(tables.rows()).toEqual([]);
    expect(here.tables.connections.size()).toBe(0);
    expect(here.telemetry.total("ConnectionsOpened")).toBe(0);
    expect(here.telemetry.warnings).toEqual([]);
  });

  test("that fails and cannot take its list rows back leaves its row, by which a 410 finds them", async () => {
    const here = socketFunction({ subscriptions: { add: NO_TABLE, remove: NO_TABLE } });
    await expect(here.open()).rejects.toThrow("throttled");
    expect(here.tables.connections.size()).toBe(1);
    expect(here.telemetry.warnings).toHaveLength(1);
  });
});

test("a disconnect deletes the row and the list rows, those of unfinished changes too, and is counted", async () => {
  const here = socketFunction({ connections: { settle: NO_TABLE } });
  await here.open();
  await expect(here.ask({ type: "subscribe", topics: ["a"] })).rejects.toThrow("throttled");
  expect(here.listed()).toContain("topic:a");
  await here.close();
  expect([here.listed(), here.tables.connections.size()]).toEqual([[], 0]);
  expect(here.telemetry.total("ConnectionsClosed")).toBe(1);
});

test.each([
  { how: "whose row is there", row: true, removed: [...OWN, "topic:found"] },
  { how: "without a row", row: false, removed: ["topic:found"] },
])("a connection $how is removed from its lists and the one it was found by, and from no other", async (kind) => {
  const removed: Tag[] = [];
  const here = socketFunction({ subscriptions: { remove: async (tags) => void removed.push(...tags) } });
  if (kind.row) await here.open();
  await removeConnection(here.deps, SOCKET, ["topic:found"] as Tag[]);
  expect(removed).toEqual(kind.removed);
});

describe("a frame", () => {
  test("of a connection that is not there is refused, with its ref, and counted", async () => {
    const { ask, telemetry } = socketFunction();
    expect(await ask({ type: "ping", ref: 7 })).toMatchObject({
      ...{ type: "error", code: "CONNECTION_UNKNOWN", ref: 7 },
      detail: "this connection has no row any more; connect again",
    });
    expect(telemetry.total("FramesRefused")).toBe(1);
  });

  test("that is one too many is refused before the table is asked", async () => {
    const { ask } = socketFunction({ frameLimit: () => 3, connections: { read: NO_TABLE } });
    expect(await ask({ type: "ping", ref: "r" })).toMatchObject({
      ...{ type: "error", code: "TOO_MANY_FRAMES", retryAfter: 3, ref: "r" },
      detail: "too many frames on this connection; wait 3 s",
    });
  });

  test("that is no frame is refused, and its ref is echoed", async () => {
    const { ask, open } = socketFunction();
    await open();
    expect(await ask({ type: "dance", ref: 1 })).toMatchObject({
      type: "error",
      code: "FRAME_INVALID",
      ref: 1,
    });
    expect(await ask("{")).toMatchObject({ type: "error", code: "FRAME_INVALID" });
  });

  test("ping is answered with the connection's id, while the table is away too; but a fault of the code is none", async () => {
    const { ask, open } = socketFunction();
    await open();
    expect(await ask({ type: "ping", ref: 1 })).toEqual({ type: "pong", connection: "c1=", ref: 1 });
    expect(await ask({ type: "ping" })).toStrictEqual({ type: "pong", connection: "c1=" });
    const away = socketFunction({ connections: { read: NO_TABLE } });
    expect(await away.ask({ type: "ping" })).toEqual({ type: "pong", connection: "c1=" });
    await expect(away.ask({ type: "subscribe", topics: ["a"] })).rejects.toThrow("throttled");
    const broken = socketFunction({ connections: { read: () => Promise.reject(new TypeError("a bug")) } });
    await expect(broken.ask({ type: "ping" })).rejects.toThrow("a bug");
  });

  test("subscribes to the topics that it may, names the others with the reason, and counts the good ones", async () => {
    const { ask, open, listed, telemetry } = socketFunction();
    await open({ subscribe: ["a", "b"] });
    expect(await ask({ type: "subscribe", topics: ["a", "secret", "b", "no good"], ref: 1 })).toStrictEqual({
      ...{ type: "subscribed", topics: ["a", "b"] },
      refused: [
        { topic: "secret", code: "TOPIC_FORBIDDEN", detail: "the token does not grant it" },
        { topic: "no good", code: "TOPIC_INVALID", detail: expect.any(String) },
      ],
      ref: 1,
    });
    expect(listed()).toEqual([...OWN, "topic:a", "topic:b"]);
    expect(telemetry.total("Subscribed")).toBe(2);
    expect(await ask({ type: "unsubscribe", topics: ["a", "secret"] })).toStrictEqual({
      type: "unsubscribed",
      topics: ["a", "secret"],
    });
    expect(listed()).toEqual([...OWN, "topic:b"]);
    expect(telemetry.total("Unsubscribed")).toBe(2);
  });

  test("of which no topic is good writes nothing", async () => {
    const { ask, open } = socketFunction({ connections: { change: NO_TABLE } });
    await open({ subscribe: [] });
    expect(await ask({ type: "subscribe", topics: ["a"] })).toMatchObject({ topics: [], refused: [{}] });
  });

  test("that would exceed 200 tags is refused, and one that reaches them is not", async () => {
    const { ask, open } = socketFunction();
    await open();
    const topics = Array.from({ length: 150 }, (_, n) => `t${n}`);
    for (const from of [0, 50, 100]) await ask({ type: "subscribe", topics: topics.slice(from, from + 50) });
    const more = (count: number) => Array.from({ length: count }, (_, n) => `more${n}`);
    expect(await ask({ type: "subscribe", topics: more(48) })).toMatchObject({
      ...{ type: "error", code: "TOO_MANY_TOPICS", detail: "a connection holds at most 200 tags" },
    });
    expect(await ask({ type: "subscribe", topics: more(47) })).toMatchObject({ type: "subscribed" });
    expect(await ask({ type: "unsubscribe", topics: ["t1"] })).toMatchObject({ type: "unsubscribed" });
  });
});
