import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { start } from "../../local/index.ts";
import { mintToken, publisher } from "../../server/index.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import type { SettingsOverrides } from "../../shared/settings/schema.ts";
import { httpPeer, socketPeer } from "../support/peer.ts";
import { finished, running } from "./support.ts";

const GRANT = { user: "shop", subscribe: ["*"], publish: ["*"], secret: DEV_SECRET };
const QUEUED = { status: 202, body: { id: "m", state: "queued" } };

const PATIENCE = { timeout: 20_000, interval: 50 };

async function router(settings: SettingsOverrides = {}) {
  const it = await start({ settings });
  onTestFinished(async () => {
    await it.stop(0);
  });
  const env = {
    TAGWIRE_URL: it.url,
    TAGWIRE_SOCKET_URL: it.socketUrl,
    TAGWIRE_TOKEN: await mintToken(GRANT),
  };
  return { ...it, env };
}

test("what publish.py posts is printed by listen.py, and its receipt says so", async () => {
  const { env, spy } = await router();
  const listener = running(["listen.py", "orders"], env);
  await spy.waitFor({ kind: "connected" });
  await vi.waitFor(async () => {
    const { out } = await finished(["publish.py", "orders", '{"order": 7}'], env);
    expect(JSON.parse(out)).toMatchObject({ state: "delivered", counts: { sent: 1 } });
  }, PATIENCE);
  expect(await listener.next()).toMatchObject({ type: "message", topic: "orders", data: { order: 7 } });
});

test("listen.py comes back after a cut", async () => {
  const { env, spy, url } = await router();
  const listener = running(["listen.py", "orders"], env);
  const { connectionId } = await spy.waitFor({ kind: "connected" });
  spy.kill(connectionId);
  await spy.waitFor({ kind: "connected" }, { count: 2 });
  const shop = publisher({ url, secret: DEV_SECRET, user: "shop" });
  await vi.waitFor(async () => {
    const { id } = await shop.publish({ target: { topic: "orders" }, data: "after the cut" });
    expect(await shop.waitFor(id)).toMatchObject({ state: "delivered" });
  }, PATIENCE);
  expect(await listener.next()).toMatchObject({ data: "after the cut" });
});

test("listen.py ends if its token is refused", async () => {
  const { env } = await router();
  const { code, err } = await finished(["listen.py", "orders"], { ...env, TAGWIRE_TOKEN: "none" });
  expect(code).toBe(1);
  expect(err).toContain("HTTP 401");
});

test("publish.py tries again with the id of its first attempt, and not before Retry-After", async () => {
  const at: number[] = [];
  const { url, requests } = await httpPeer(({ method }) => {
    if (method === "GET") return { status: 200, body: { state: "delivered" } };
    return at.push(performance.now()) === 1 ? { status: 503, headers: { "retry-after": "1" } } : QUEUED;
  });
  const { code } = await finished(["publish.py", "orders", "1"], { TAGWIRE_URL: url, TAGWIRE_TOKEN: "t" });
  expect(code).toBe(0);
  const [first, second] = requests.map(({ body }) => body as { id: string });
  expect(second).toEqual(first);
  expect(first?.id).toMatch(/^[0-9a-f-]{36}$/);
  expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(990);
});

test("publish.py fails with the router's reason", async () => {
  const { env } = await router();
  const token = await mintToken({ ...GRANT, publish: ["topic:news"] });
  const { code, err } = await finished(["publish.py", "orders", "1"], { ...env, TAGWIRE_TOKEN: token });
  expect(code).toBe(1);
  expect(err).toContain("TARGET_FORBIDDEN");
});

const message = (seq: number, more: object = { data: seq }) => ({
  type: "message",
  id: `m-${seq}`,
  topic: "orders",
  seq,
  ...more,
});

/** A listener that keeps its place in a file, in front of a router that a test plays. */
async function played(token = "t") {
  const folder = mkdtempSync(join(tmpdir(), "tagwire-python-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "position");
  const peer = await socketPeer();
  const env = { TAGWIRE_SOCKET_URL: peer.url.replace("http", "ws"), TAGWIRE_TOKEN: token };
  const start = () => running(["listen.py", "orders", "--position", file], env);
  const next = async () => {
    const { socket, frame } = await peer.next();
    return {
      frame,
      send: (...frames: object[]) => frames.forEach((it) => void socket.send(JSON.stringify(it))),
      socket,
    };
  };
  return { start, next, kept: () => readFileSync(file, "utf8") };
}

const subscribed = (position: number, more = {}) => ({
  type: "subscribed",
  topics: ["orders"],
  positions: { orders: position },
  ...more,
});

test("listen.py resumes from the number that it kept, and says nothing twice", async () => {
  const { start, next, kept } = await played();
  const first = start();
  const one = await next();
  expect(one.frame).toEqual({ type: "subscribe", topics: ["orders"] });
  one.send(message(18), subscribed(17), message(19));
  expect([await first.next(), await first.next()]).toMatchObject([{ seq: 18 }, { seq: 19 }]);
  await vi.waitFor(() => expect(kept()).toBe("19"), PATIENCE);
  await first.stop();
  const second = start();
  const two = await next();
  expect(two.frame).toEqual({ type: "subscribe", topics: ["orders"], since: { orders: 19 } });
  two.send(
    message(19),
    message(22),
    subscribed(21, { recovered: { orders: true }, messages: [20, 21].map((n) => message(n)) }),
  );
  expect([await second.next(), await second.next(), await second.next()]).toMatchObject([
    { seq: 20 },
    { seq: 21 },
    { seq: 22 },
  ]);
});

test("after a cut it asks from where it was; what does not fit the reply it asks for; a number without data is passed", async () => {
  const { start, next } = await played();
  const listener = start();
  const one = await next();
  one.send(subscribed(5), message(6));
  expect(await listener.next()).toMatchObject({ seq: 6 });
  one.socket.terminate();
  const two = await next();
  expect(two.frame).toMatchObject({ since: { orders: 6 } });
  two.send(
    subscribed(8, {
      recovered: { orders: true },
      messages: [7, 8].map((n) => message(n)),
      more: { orders: true },
    }),
    message(12),
  );
  const asked = await next();
  expect(asked.frame).toEqual({ type: "history", topic: "orders", since: 8 });
  asked.send({
    type: "history",
    topic: "orders",
    messages: [message(9), message(11)],
    position: 11,
    more: false,
    gap: false,
  });
  const got = [await listener.next(), await listener.next(), await listener.next(), await listener.next()];
  expect([...got, await listener.next()].map(({ seq }) => seq)).toEqual([7, 8, 9, 11, 12]);
});

test("a hole is fetched, and a gap is told", async () => {
  const { start, next } = await played();
  const listener = start();
  const one = await next();
  one.send(subscribed(1), message(4));
  const asked = await next();
  expect(asked.frame).toEqual({ type: "history", topic: "orders", since: 1 });
  asked.send({
    type: "history",
    topic: "orders",
    messages: [message(3)],
    position: 3,
    more: false,
    gap: true,
  });
  expect([await listener.next(), await listener.next()]).toMatchObject([{ seq: 3 }, { seq: 4 }]);
  expect(await listener.nextError()).toContain("gap");
  one.socket.terminate();
  expect(await listener.nextError()).toContain("connection lost");
  const two = await next();
  two.send(subscribed(90, { recovered: { orders: false } }), message(91));
  expect(await listener.nextError()).toContain("gap");
  expect(await listener.next()).toMatchObject({ seq: 91 });
});

test.each([
  "TOKEN_EXPIRED",
  "CONNECTION_UNKNOWN",
])("after %s listen.py connects again, where it was", async (code) => {
  const { start, next } = await played();
  const listener = start();
  const one = await next();
  one.send(subscribed(5), message(6), { type: "error", code, detail: "it is over" });
  expect(await listener.next()).toMatchObject({ seq: 6 });
  expect((await next()).frame).toMatchObject({ type: "subscribe", since: { orders: 6 } });
});

test("before its token ends listen.py connects with another one: nothing arrives after that", async () => {
  const token = await mintToken({ ...GRANT, ttlSeconds: 3 });
  const { start, next } = await played(token);
  const listener = start();
  const one = await next();
  one.send(subscribed(5), message(6));
  expect(await listener.next()).toMatchObject({ seq: 6 });
  expect((await next()).frame).toMatchObject({ type: "subscribe", since: { orders: 6 } });
});

test("against a router that keeps a stream, listen.py gets what was posted while it was not there", async () => {
  const { env, url, spy } = await router({ streams: [{ topics: "orders", seconds: 600, count: 100 }] });
  const folder = mkdtempSync(join(tmpdir(), "tagwire-python-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const argv = ["listen.py", "orders", "--position", join(folder, "position")];
  const shop = publisher({ url, secret: DEV_SECRET, user: "shop" });
  const post = async (data: number) => {
    const { id } = await shop.publish({ target: { topic: "orders" }, data });
    return shop.waitFor(id);
  };
  const first = running(argv, env);
  await vi.waitFor(async () => expect(await post(0)).toMatchObject({ state: "delivered" }), PATIENCE);
  const { seq } = await first.next();
  await vi.waitFor(() => expect(readFileSync(join(folder, "position"), "utf8")).toBe(String(seq)), PATIENCE);
  await first.stop();
  await spy.waitFor({ kind: "disconnected" });
  for (const data of [1, 2, 3]) await post(data);
  const second = running(argv, env);
  const missed = [await second.next(), await second.next(), await second.next()];
  expect(missed.map(({ data }) => data)).toEqual([1, 2, 3]);
});
