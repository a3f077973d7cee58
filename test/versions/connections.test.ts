import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { memoryClock } from "../../testing/memory/clock.ts";
import { NOW } from "../support/message.ts";
import { type Row, socketFunction, tagsOf } from "../support/socket-function.ts";

/** The rows of one connection as the last release without row versions (0.1.0) wrote them. */
const V0: { readonly connections: readonly Row[]; readonly subscriptions: readonly Row[] } = JSON.parse(
  readFileSync(new URL("connections-v0.json", import.meta.url), "utf8"),
);
const ID = "c0=";
const HELD = ["everyone", "region:gd", "topic:orders", "topic:orders/eu", "user:ann"];

/** The socket function, an hour after the connection of version 0 was opened. */
async function beforeDeploy() {
  const socket = await socketFunction({}, memoryClock(NOW + 3_600_000));
  for (const row of V0.connections) await socket.put("connections", row);
  for (const row of V0.subscriptions) await socket.put("subscriptions", row);
  return socket;
}
const leaving = (socket: Awaited<ReturnType<typeof beforeDeploy>>) =>
  socket.invoke({ requestContext: { connectionId: ID, connectedAt: NOW, eventType: "DISCONNECT" } });

test("the rows are those of version 0", () => {
  for (const row of [...V0.connections, ...V0.subscriptions]) expect(row).not.toHaveProperty("v");
  for (const row of V0.connections) expect(row).not.toHaveProperty("tokenExpiresAt");
});

test("a connection of version 0 goes on: it is answered, subscribes, unsubscribes and is cleaned up", async () => {
  const socket = await beforeDeploy();
  const { ask, scan } = socket;
  expect(await ask(ID, { type: "ping" })).toEqual({ type: "pong", connection: ID });
  expect(await ask(ID, { type: "subscribe", topics: ["orders"] })).toMatchObject({ type: "subscribed" });
  expect(await ask(ID, { type: "subscribe", topics: ["secret"] })).toMatchObject({
    refused: [{ code: "TOPIC_FORBIDDEN" }],
  });
  expect(await ask(ID, { type: "unsubscribe", topics: ["orders/eu"] })).toMatchObject({
    type: "unsubscribed",
  });
  expect(await ask(ID, { type: "subscribe", topics: ["orders/us"] })).toMatchObject({ type: "subscribed" });
  const tags = [...HELD.filter((tag) => tag !== "topic:orders/eu"), "topic:orders/us"].toSorted();
  expect(await tagsOf(socket, ID)).toEqual({ row: tags, lists: tags });
  await leaving(socket);
  expect([...(await scan("connections")), ...(await scan("subscriptions"))]).toEqual([]);
});

test("a $disconnect finds all rows of version 0", async () => {
  const socket = await beforeDeploy();
  expect(await tagsOf(socket, ID)).toEqual({ row: HELD, lists: HELD });
  await leaving(socket);
  expect([...(await socket.scan("connections")), ...(await socket.scan("subscriptions"))]).toEqual([]);
});

test("what is written now has version 1, and times in the units of their names", async () => {
  const socket = await socketFunction();
  const { connect, ask, scan, connectedAt } = socket;
  const before = Math.floor(Date.now() / 1000);
  await connect("c1=", { exp: before + 1_800 });
  await ask("c1=", { type: "subscribe", topics: ["orders"] });
  const [row] = await scan("connections");
  const exp = Number(row?.["tokenExpiresAt"]?.N) / 1000;
  expect(exp).toBeGreaterThanOrEqual(before + 1_800);
  expect(exp).toBeLessThan(before + 1_810);
  expect(row).toMatchObject({
    v: { N: "1" },
    connectionId: { S: "c1=" },
    connectedAt: { N: String(connectedAt) },
    user: { S: "ann" },
    tags: { SS: expect.arrayContaining(["everyone", "user:ann", "topic:orders"]) },
    subscribe: { S: '["*"]' },
    expiresAt: { N: String((exp + 600) * 1_000) },
    ttl: { N: String(exp + 600) },
  });
  const lists = await scan("subscriptions");
  expect(lists).toHaveLength(3);
  for (const list of lists) {
    expect(list).toEqual({
      tag: { S: expect.any(String) },
      key: { S: expect.stringMatching(/^[0-9a-f]{8}#c1=$/) },
      connectedAt: { N: String(connectedAt) },
      ttl: { N: String(exp) },
      v: { N: "1" },
    });
  }
});
