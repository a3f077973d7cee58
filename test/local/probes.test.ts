import { once } from "node:events";
import { rmSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { start } from "../../local/start.ts";
import { temporary } from "../engine/store/temporary.ts";
import { tokenFor } from "../support/client.ts";
import { post } from "../support/http.ts";
import { dial, exchange, HANDSHAKE, rawRequest } from "../support/raw.ts";

const get = async (url: string, path: string) => {
  const response = await fetch(url + path);
  return [response.status, await response.json()];
};

async function kept() {
  const data = temporary();
  const router = await start({ data });
  onTestFinished(async () => {
    await router.stop(0);
  });
  return { data, ...router };
}

test("a router is alive and ready, and says both to whatever name it is asked by", async () => {
  const { url } = await kept();
  expect(await get(url, "/health")).toEqual([200, { status: "ok", deadLetters: {} }]);
  expect(await get(url, "/ready")).toEqual([200, { status: "ready" }]);
  const headers = { host: "10.0.0.7:3000", connection: "close" };
  expect((await exchange(url, rawRequest("GET /ready", headers))).status).toBe(200);
  expect((await exchange(url, rawRequest("HEAD /health", headers))).status).toBe(200);
  expect((await exchange(url, rawRequest("GET /metrics", headers))).status).toBe(403);
});

test("a router that can keep nothing is alive and not ready, and says why", async () => {
  const { data, url } = await kept();
  rmSync(data, { recursive: true });
  const body = { code: "STORE_UNAVAILABLE", detail: expect.stringContaining(data) };
  expect(await get(url, "/ready")).toEqual([503, expect.objectContaining(body)]);
  expect(await get(url, "/health")).toEqual([200, { status: "ok", deadLetters: {} }]);
});

test("a router that stops is not ready, and does not wait for messages that the next process delivers", async () => {
  const { data, url, stop } = await kept();
  await post({ url }, { target: { topic: "plain" }, data: "later", delaySeconds: 60 });
  // A client that does not answer the close keeps the router for a second.
  const mute = await dial(url);
  mute.write(rawRequest(`GET /?token=${await tokenFor("anna")}`, { host: "127.0.0.1", ...HANDSHAKE }));
  await once(mute, "data");
  const began = performance.now();
  const stopped = stop();
  expect(await get(url, "/ready")).toEqual([503, expect.objectContaining({ code: "QUEUE_UNAVAILABLE" })]);
  expect(await stopped).toEqual({ left: 1 });
  expect(performance.now() - began).toBeLessThan(GRACE);

  const again = await start({ data });
  // The lanes wait for clients, who come back to a router that is ready. So does what comes now.
  expect(await get(again.url, "/ready")).toEqual([200, { status: "ready" }]);
  await post(again, { target: { topic: "plain" }, data: "now" });
  const before = performance.now();
  expect(await again.stop()).toEqual({ left: 2 });
  expect(performance.now() - before).toBeLessThan(GRACE);
});

/** How long a stop waits for lanes that do not empty, in milliseconds. */
const GRACE = 9_000;
