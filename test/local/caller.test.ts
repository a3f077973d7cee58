import { expect, onTestFinished, test } from "vitest";
import { callers } from "../../local/gateway/caller.ts";
import { start } from "../../local/start.ts";
import { tokenFor } from "../support/client.ts";
import { exchange, HANDSHAKE, rawRequest } from "../support/raw.ts";

const PROXIES = ["10.0.0.0/8", "127.0.0.1", "fd00::/8"];

interface Case {
  readonly peer: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly is: { readonly address: string; readonly host?: string; readonly isSecure?: boolean };
}

test.each<Case>([
  { peer: "192.0.2.1", headers: {}, is: { address: "192.0.2.1" } },
  // Whoever is not trusted says what it likes.
  {
    peer: "192.0.2.1",
    headers: {
      "x-forwarded-for": "203.0.113.9",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "localhost",
    },
    is: { address: "192.0.2.1" },
  },
  { peer: "10.1.2.3", headers: { "x-forwarded-for": "203.0.113.9" }, is: { address: "203.0.113.9" } },
  { peer: "::ffff:10.1.2.3", headers: { "x-forwarded-for": "203.0.113.9" }, is: { address: "203.0.113.9" } },
  { peer: "fd00::7", headers: { "x-forwarded-for": "2001:db8::1" }, is: { address: "2001:db8::1" } },
  // A client put the first one there itself.
  {
    peer: "10.1.2.3",
    headers: { "x-forwarded-for": "127.0.0.1, 203.0.113.9, 10.9.9.9" },
    is: { address: "203.0.113.9" },
  },
  { peer: "10.1.2.3", headers: { "x-forwarded-for": "10.4.4.4, 10.5.5.5" }, is: { address: "10.4.4.4" } },
  { peer: "10.1.2.3", headers: { "x-forwarded-for": "203.0.113.9, unknown" }, is: { address: "10.1.2.3" } },
  { peer: "10.1.2.3", headers: { "x-forwarded-for": "" }, is: { address: "10.1.2.3" } },
  {
    peer: "10.1.2.3",
    headers: {
      "x-forwarded-proto": "http, HTTPS",
      "x-forwarded-host": "evil.example, push.example",
    },
    is: { address: "10.1.2.3", host: "push.example", isSecure: true },
  },
])("$peer with $headers is $is", ({ peer, headers, is }) => {
  const request = { headers: { host: "router:3000", ...headers }, socket: { remoteAddress: peer } };
  const caller = callers(PROXIES)(request as unknown as Parameters<ReturnType<typeof callers>>[0]);
  expect(caller).toEqual({ host: "router:3000", isSecure: false, ...is });
});

test.each([
  "proxy",
  "10.0.0.0/33",
  "10.0.0.0/x",
  "10.0.0.0/8/8",
  "fd00::/129",
  "",
  "10.0.0.0/",
])("%j is no trusted proxy", (proxy) => {
  expect(() => callers([proxy])).toThrow(
    `a trusted proxy must be an address or a range such as 10.0.0.0/8, got "${proxy}"`,
  );
});

const FORWARDED = { "x-forwarded-for": "203.0.113.9", "x-forwarded-host": "push.example" };

async function openedBy(
  trustedProxies: readonly string[],
): Promise<{ status: number; addresses: unknown[] }> {
  const addresses: unknown[] = [];
  const router = await start({
    ...{ trustedProxies, origins: ["https://push.example"] },
    note: (message, { address }) => void (message === "connection opened" && addresses.push(address)),
  });
  onTestFinished(async () => {
    await router.stop(0);
  });
  const line = `GET /?token=${await tokenFor("anna")}`;
  const headers = { host: "127.0.0.1", ...HANDSHAKE, ...FORWARDED };
  const answer = exchange(router.url, rawRequest(line, headers));
  await router.spy.waitFor({ kind: "connected" });
  await router.stop(0);
  return { status: (await answer).status, addresses };
}

test("a connection through a trusted proxy is its client's, and one through any other the proxy's", async () => {
  expect(await openedBy(["127.0.0.0/8"])).toEqual({ status: 101, addresses: ["203.0.113.9"] });
  expect(await openedBy(["10.0.0.0/8"])).toEqual({ status: 101, addresses: ["127.0.0.1"] });
});

test("the host that a trusted proxy names is held against the origins, and one that another names is not", async () => {
  for (const { trustedProxies, status } of [
    { trustedProxies: ["127.0.0.1"], status: 403 },
    { trustedProxies: [], status: 404 },
  ]) {
    const router = await start({ trustedProxies });
    onTestFinished(async () => {
      await router.stop(0);
    });
    const headers = { host: "127.0.0.1", connection: "close", "x-forwarded-host": "rebound.example" };
    expect((await exchange(router.url, rawRequest("GET /nothing", headers))).status).toBe(status);
  }
});

test.each([
  { origin: "https://push.example", status: 200 },
  { origin: "http://push.example", status: 403 },
])("behind a proxy with HTTPS a page of $origin gets $status for a token", async ({ origin, status }) => {
  const router = await start({
    trustedProxies: ["127.0.0.1"],
    origins: ["https://push.example", "http://push.example"],
  });
  onTestFinished(async () => {
    await router.stop(0);
  });
  const body = '{"user":"ann"}';
  const headers = {
    ...{ host: "127.0.0.1", connection: "close", origin, "content-length": `${body.length}` },
    ...{ ...FORWARDED, "x-forwarded-proto": "https" },
  };
  expect((await exchange(router.url, rawRequest("POST /page/token", headers) + body)).status).toBe(status);
});
