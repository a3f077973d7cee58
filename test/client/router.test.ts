import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Client, type ConnectOptions, connect } from "../../client/index.ts";
import type { Router } from "../../local/options.ts";
import { start } from "../../local/start.ts";
import { tokenFor } from "../support/client.ts";
import { patient } from "../support/patient.ts";

let router: Router;
beforeAll(async () => {
  const streams = [{ topics: "kept", seconds: 600, count: 100 }];
  router = await start({ port: 0, settings: patient({ streams, userStreams: { seconds: 600, count: 3 } }) });
});
afterAll(() => router.stop(0));

const clients: Client[] = [];
afterAll(() => {
  for (const client of clients) client.close();
});
function page(user: string, claims: Record<string, unknown> = {}, options: Partial<ConnectOptions> = {}) {
  const client = connect({ url: router.url, token: () => tokenFor(user, claims), WebSocket, ...options });
  clients.push(client);
  return client;
}
const state = (client: Client, wanted: string) =>
  expect.poll(() => client.state, { timeout: 20_000 }).toBe(wanted);

test("a page publishes to a topic, and a loop on another receives it", async () => {
  const orders = page("anna").subscribe("orders/eu");
  await orders.ready;
  const { id } = await page("ben").publish({
    target: { topic: "orders/eu" },
    event: "shipped",
    data: { n: 1 },
  });
  for await (const message of orders) {
    expect(message).toEqual({
      id,
      topic: "orders/eu",
      event: "shipped",
      data: { n: 1 },
      time: expect.any(String),
    });
    break;
  }
});

test("messages to the user, everyone, tags and the connection reach their handlers", async () => {
  const client = page("carla", { tags: ["plan:pro"] });
  const got: string[] = [];
  for (const to of ["user", "everyone", "tags", "connection"] as const)
    client.receive(to, ({ data }) => got.push(`${to} ${data}`));
  await state(client, "connected");
  const connection = (await client.connectionId()) ?? "";
  for (const [n, target] of [
    { user: "carla" },
    { everyone: true },
    { tags: { all: ["plan:pro"] } },
    { connection },
  ].entries())
    await client.publish({ target: target as { user: string }, data: n });
  await expect.poll(() => got.toSorted()).toEqual(["connection 3", "everyone 1", "tags 2", "user 0"]);
});

test("a connection that is lost is replaced, and its topics come again", async () => {
  const client = page("dora");
  const got: unknown[] = [];
  await client.subscribe("dora/news", ({ data }) => got.push(data)).ready;
  const lost = (await client.connectionId()) ?? "";
  const states: string[] = [];
  client.on("state", ({ state }) => states.push(state));
  router.spy.kill(lost);
  await expect.poll(() => [...new Set(states)], { timeout: 20_000 }).toEqual(["connecting", "connected"]);
  expect(await client.connectionId()).not.toBe(lost);
  await client.publish({ target: { topic: "dora/news" }, data: "again" });
  await expect.poll(() => got).toEqual(["again"]);
});

test("a topic outside the grant is refused by itself", async () => {
  const client = page("emil", { subscribe: ["open"] });
  const errors: unknown[] = [];
  client.on("error", ({ code, topic }) => errors.push([code, topic]));
  client.subscribe("secret", () => {});
  await client.subscribe("open", () => {}).ready;
  expect(errors).toEqual([["TOPIC_FORBIDDEN", "secret"]]);
  expect(client.state).toBe("connected");
});

test("a token that the router does not know is refused for good, and a router that is away is not", async () => {
  const bad = page(
    "fritz",
    {},
    { token: () => tokenFor("fritz", {}, "another secret of more than 32 bytes") },
  );
  const reasons: unknown[] = [];
  bad.on("state", ({ reason }) => reasons.push(reason?.code));
  await state(bad, "closed");
  expect(reasons.at(-1)).toBe("REFUSED");
  const away = page("greta", {}, { url: "ws://127.0.0.1:9" });
  const said: unknown[] = [];
  away.on("state", ({ reason }) => said.push(reason?.code));
  await expect.poll(() => said.length, { timeout: 20_000 }).toBeGreaterThan(2);
  expect([...new Set(said)]).toEqual(["UNREACHABLE"]);
});

test("a message that the router refuses rejects with its code", async () => {
  const client = page("hans", { publish: [] });
  await state(client, "connected");
  const publishing = client.publish({ target: { everyone: true }, data: 1 });
  await expect(publishing).rejects.toMatchObject({ name: "ClientError", code: "TARGET_FORBIDDEN" });
});

test("a user's stream goes on after a cut, and after a page load; what is not kept any more is a gap", async () => {
  const shop = page("shop");
  const post = (data: number) => shop.publish({ target: { user: "ida" }, data });
  const got: unknown[] = [];
  const told: unknown[] = [];
  const first = page("ida");
  await first.receive("user", ({ data }) => got.push(data)).ready;
  await post(1);
  await expect.poll(() => got).toEqual([1]);
  const positions = first.positions();
  first.close();
  await post(2);
  const second = page("ida", {}, { positions });
  for (const type of ["recovered", "gap"] as const) second.on(type, ({ topic }) => told.push([type, topic]));
  await second.receive("user", ({ data }) => got.push(data)).ready;
  await expect.poll(() => got).toEqual([1, 2]);
  second.close();
  for (const data of [3, 4, 5, 6]) await post(data);
  await router.spy.idle({ timeout: 60_000 });
  const third = page("ida", {}, { positions: second.positions() });
  for (const type of ["recovered", "gap"] as const) third.on(type, ({ topic }) => told.push([type, topic]));
  await third.receive("user", ({ data }) => got.push(data)).ready;
  await post(7);
  await expect.poll(() => got).toEqual([1, 2, 7]);
  expect(told).toEqual([
    ["recovered", "@user"],
    ["gap", "@user"],
  ]);
});

test("the last messages come first, and then what comes", async () => {
  const client = page("jo");
  const before: unknown[] = [];
  await client.subscribe("kept", ({ data }) => before.push(data)).ready;
  for (const data of [1, 2, 3]) await client.publish({ target: { topic: "kept" }, data });
  await expect.poll(() => before.length).toBe(3);
  const last = before.slice(-2);
  const got: unknown[] = [];
  await client.subscribe("kept", ({ data }) => got.push(data), { last: 2 }).ready;
  await client.publish({ target: { topic: "kept" }, data: 4 });
  await expect.poll(() => got).toEqual([...last, 4]);
});

test("a token is refreshed in place: the connection outlives it", async () => {
  let made = 0;
  const token = () => {
    made += 1;
    const iat = Math.floor(Date.now() / 1000);
    return tokenFor("kim", { iat, exp: iat + 6 });
  };
  const client = page("kim", {}, { token });
  await state(client, "connected");
  const id = await client.connectionId();
  await expect.poll(() => made, { timeout: 30_000 }).toBe(3);
  expect(await client.connectionId()).toBe(id);
  expect(client.state).toBe("connected");
});

test("a user who is disconnected and signed out does not come back", async () => {
  let isSignedIn = true;
  const client = page("lea", {}, { token: () => (isSignedIn ? tokenFor("lea") : null) });
  await state(client, "connected");
  isSignedIn = false;
  const response = await fetch(`${router.url}/v1/users/lea/connections`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${await tokenFor("boss", { admin: true })}` },
  });
  expect(response.ok).toBe(true);
  await state(client, "closed");
});
