import { expect, test } from "vitest";
import { answer, connect } from "../../shared/pipeline/socket/socket.ts";
import type { Connections, Subscriptions } from "../../shared/ports.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { memoryTokens } from "../../testing/memory/tokens.ts";
import { NOW } from "../support/message.ts";
import { ANN, SOCKET } from "./side-by-side.ts";

/** An open socket over memory adapters, whose methods a test may replace. */
async function opened() {
  const connections: Connections = memoryConnections();
  const tables = memorySubscriptions();
  const subscriptions: Subscriptions = { ...tables };
  const clock = memoryClock(NOW);
  const deps = {
    ...{ connections, subscriptions, clock, telemetry: memoryTelemetry() },
    policy: { maxAgeSeconds: 7_200, rowMarginSeconds: 600 },
    random: () => 0.5,
    frameLimit: () => undefined,
    tokens: memoryTokens(),
  };
  await connect(deps, SOCKET, ANN);
  return {
    ...{ connections, subscriptions, clock },
    subscribe: (topic: string) =>
      answer(deps, SOCKET.connectionId, JSON.stringify({ type: "subscribe", topics: [topic] })),
    topics: () =>
      tables
        .rows()
        .map(({ tag }) => tag)
        .filter((tag) => tag.startsWith("topic:")),
    openChanges: async () => (await connections.read(SOCKET.connectionId, clock.now()))?.changes.length,
  };
}

test("a frame whose writes always meet another frame's gives up after 50, and writes no list", async () => {
  const { connections, subscribe, topics } = await opened();
  let writes = 0;
  connections.change = async () => {
    writes++;
    return undefined;
  };
  await expect(subscribe("a")).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
    message: "50 writes in a row met another frame's",
  });
  expect(writes).toBe(51);
  expect(topics()).toEqual([]);
});

test("a frame that always finds the row changed gives up after 50 looks", async () => {
  const { connections, subscribe } = await opened();
  let looks = 0;
  connections.settle = async () => {
    looks++;
    return false;
  };
  await expect(subscribe("a")).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
    message: "50 looks in a row met another frame's change",
  });
  expect(looks).toBe(51);
});

test("what a run left undone is done by the first frame that comes when that run is over for sure", async () => {
  const { subscriptions, subscribe, topics, openChanges, clock } = await opened();
  const { add } = subscriptions;
  subscriptions.add = () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled"));
  await expect(subscribe("left")).rejects.toThrow("throttled");
  subscriptions.add = add;
  clock.advance(60_000);
  await subscribe("early");
  expect(topics()).toEqual(["topic:early"]);
  expect(await openChanges()).toBe(1);
  clock.advance(1);
  await subscribe("late");
  expect(topics().toSorted()).toEqual(["topic:early", "topic:late", "topic:left"]);
  expect(await openChanges()).toBe(0);
});
