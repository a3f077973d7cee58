import { expect, test } from "vitest";
import { CHANGES, FRAMES } from "../../shared/connections/frame-budget.ts";
import { frameLimit } from "../../shared/pipeline/socket/frame-limit.ts";
import { answer } from "../../shared/pipeline/socket/socket.ts";
import type { ServerFrame } from "../../shared/protocol/frame.ts";
import { type Frame, openConnection, SOCKET } from "./side-by-side.ts";

const topics = (count: number, name = "t") => Array.from({ length: count }, (_, i) => `${name}${i}`);

/** An open connection whose calls to the tables are noted, with the limit of frames that functions have. */
async function noted() {
  const { deps, clock, ...rest } = await openConnection();
  const calls: string[] = [];
  const noting = <Port extends object>(port: Port): Port => {
    const entries = Object.entries(port).map(([name, call]) => [
      name,
      (...args: unknown[]) => {
        calls.push(name);
        return call(...args);
      },
    ]);
    return Object.fromEntries(entries);
  };
  const limited = {
    ...deps,
    connections: noting(deps.connections),
    subscriptions: noting(deps.subscriptions),
    frameLimit: frameLimit(clock, FRAMES),
  };
  const ask = (frame: Frame | { type: "ping" }): Promise<ServerFrame> =>
    answer(limited, SOCKET.connectionId, JSON.stringify(frame));
  const costOf = async (frame: Frame | { type: "ping" }) => {
    calls.length = 0;
    const reply = await ask(frame);
    return { reply, calls: [...calls] };
  };
  return { ...rest, clock, ask, costOf };
}

test("a frame that changes nothing costs one read and no write", async () => {
  const { ask, costOf } = await noted();
  await ask({ type: "subscribe", topics: topics(50) });
  const held = await costOf({ type: "subscribe", topics: topics(50) });
  expect(held).toMatchObject({ reply: { type: "subscribed" }, calls: ["read"] });
  const never = await costOf({ type: "unsubscribe", topics: topics(50, "never") });
  expect(never).toMatchObject({ reply: { type: "unsubscribed" }, calls: ["read"] });
});

test("a frame writes the lists of the topics that it changes, and no others", async () => {
  const { ask, listed, costOf } = await noted();
  await ask({ type: "subscribe", topics: ["a", "b"] });
  expect((await costOf({ type: "subscribe", topics: ["b", "c", "c"] })).calls).toEqual([
    "read",
    "change",
    "add",
    "settle",
  ]);
  expect((await costOf({ type: "unsubscribe", topics: ["a", "x"] })).calls).toEqual([
    "read",
    "change",
    "remove",
    "settle",
  ]);
  expect(listed().filter((tag) => tag.startsWith("topic:"))).toEqual(["topic:b", "topic:c"]);
});

test("a client that subscribes to 198 topics at once and changes one a second for an hour meets no limit", async () => {
  const { ask, clock } = await noted();
  for (const [i, size] of [50, 50, 50, 47].entries()) {
    const reply = await ask({ type: "subscribe", topics: topics(size, `${i}-`) });
    expect(reply).toMatchObject({ type: "subscribed" });
  }
  for (let second = 0; second < 3_590; second++) {
    clock.advance(1_000);
    const type = second % 2 ? "subscribe" : "unsubscribe";
    expect(await ask({ type, topics: ["0-0"] })).toMatchObject({ type: `${type}d` });
  }
});

test("whatever a client sends, its changes stay within the budget, and a refused one writes nothing", async () => {
  const { costOf, clock, row } = await noted();
  let changed = 0;
  const seconds = 600;
  for (let frame = 0; frame < seconds * 2; frame++) {
    clock.advance(500);
    const type = frame % 2 ? "unsubscribe" : "subscribe";
    const { reply, calls } = await costOf({ type, topics: topics(50) });
    if (reply.type !== "error") {
      changed += calls.includes("change") ? 50 : 0;
      continue;
    }
    expect(reply).toMatchObject({ code: "TOO_MANY_FRAMES", retryAfter: expect.any(Number) });
    expect(calls).toEqual(["read"]);
  }
  expect(changed).toBeLessThanOrEqual(CHANGES.burst + CHANGES.perSecond * seconds);
  expect(changed).toBeGreaterThan(CHANGES.perSecond * seconds);
  expect((await row())?.changes).toEqual([]);
});

test("after the seconds of retryAfter the frame is taken", async () => {
  const { ask, clock } = await noted();
  let reply: ServerFrame = await ask({ type: "subscribe", topics: topics(50) });
  for (let i = 1; reply.type !== "error"; i++) {
    clock.advance(200);
    reply = await ask({ type: i % 2 ? "unsubscribe" : "subscribe", topics: topics(50) });
  }
  clock.advance((reply.retryAfter ?? 0) * 1000);
  for (const type of ["subscribe", "unsubscribe"] as const) {
    reply = await ask({ type, topics: topics(50) });
    expect(reply).toMatchObject({ type: `${type}d` });
    clock.advance(25_000);
  }
});

test("a clock that is set back an hour gives the connection a new budget, and stalls nobody", async () => {
  const { ask, clock } = await noted();
  clock.advance(3_600_000 - 1_000);
  await ask({ type: "subscribe", topics: topics(10) });
  clock.advance(-3_000_000);
  expect(await ask({ type: "unsubscribe", topics: topics(10) })).toMatchObject({ type: "unsubscribed" });
});

test("more frames than a container answers reach no table, and twenty a second go on being answered", async () => {
  const { costOf, clock } = await noted();
  for (let i = 0; i < FRAMES.burst; i++)
    expect(await costOf({ type: "ping" })).toMatchObject({ calls: ["read"] });
  expect(await costOf({ type: "ping" })).toMatchObject({
    reply: { type: "error", code: "TOO_MANY_FRAMES", retryAfter: 1 },
    calls: [],
  });
  for (let i = 0; i < 50; i++) {
    clock.advance(50);
    expect(await costOf({ type: "ping" })).toMatchObject({ reply: { type: "pong" } });
  }
});
