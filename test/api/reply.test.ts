import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { asyncApi } from "../../shared/api/asyncapi.ts";
import { openApi } from "../../shared/api/openapi.ts";
import { startTiny } from "../local/support.ts";
import { connect, tokenFor } from "../support/client.ts";
import { startUnkind } from "../support/unkind.ts";
import { faults, sentFrame } from "./documents.ts";

let router: Router;
beforeAll(async () => {
  router = await startUnkind();
});
afterAll(() => router.stop(0));

interface Call {
  /** @default that of a router whose functions are real */
  readonly url?: string;
  readonly method?: "POST" | "GET" | "DELETE";
  /** As the document names it. @default that of messages, or of one message if there is an id */
  readonly route?: string;
  readonly id?: string;
  readonly query?: string;
  readonly token?: string;
  readonly type?: string;
  readonly body?: unknown;
  /** The body, if it is no JSON. */
  readonly text?: string;
}

interface Described {
  readonly content: Readonly<Record<string, { readonly examples?: object }>>;
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
}

/** Calls the router, and holds what it answers to the response that the document has for it. */
async function call({
  url = router.url,
  method = "POST",
  id,
  route = id === undefined ? "/v1/messages" : "/v1/messages/{id}",
  query = "",
  token,
  type = "application/json",
  body,
  text,
}: Call) {
  const path = route;
  const response = await fetch(`${url}${path.replace(/\{\w+\}/, id ?? "")}${query}`, {
    method,
    headers: {
      "content-type": type,
      ...(token === "" ? {} : { authorization: `Bearer ${token ?? (await tokenFor("shop"))}` }),
    },
    ...(method === "POST" ? { body: text ?? JSON.stringify(body) } : {}),
  });
  const status = String(response.status);
  const media = response.headers.get("content-type") ?? "";
  const answer: unknown = await response.json();
  const place = ["paths", path, method.toLowerCase(), "responses", status];
  const described = place.reduce<unknown>(
    (at, step) => (at as Record<string, unknown>)[step],
    openApi(),
  ) as Described;
  expect(faults(["openapi", ...place, "content", media, "schema"], answer)).toEqual([]);
  const required = Object.entries(described.headers ?? {}).filter(([, header]) => header.required);
  expect(required.map(([name]) => name).filter((name) => !response.headers.has(name))).toEqual([]);
  if (media === "application/problem+json")
    expect(described.content[media]?.examples).toHaveProperty((answer as { code: string }).code);
  return { status: response.status, answer };
}

const GOOD = { target: { topic: "orders" }, data: 1 };

describe("the OpenAPI document has what the router answers", () => {
  test.each<Call & { what: string; status: number }>([
    { what: "a good message", status: 202, body: { ...GOOD, id: "a-1" } },
    { what: "an array, with a bad item", status: 202, body: [GOOD, { ...GOOD, id: "b", priority: "top" }] },
    { what: "an array of bad items", status: 400, body: [{ ...GOOD, priority: "top" }] },
    { what: "a bad message", status: 400, body: { ...GOOD, priority: "top" } },
    { what: "no JSON", status: 400, text: "{" },
    { what: "an empty array", status: 400, body: [] },
    { what: "no token", status: 401, token: "", body: GOOD },
    { what: "a bad token", status: 401, token: "x", body: GOOD },
    { what: "too large a message", status: 413, body: { ...GOOD, data: "x".repeat(131_072) } },
    { what: "too large an item", status: 413, body: [{ ...GOOD, data: "x".repeat(131_072) }] },
    { what: "too large a body", status: 413, text: " ".repeat(1_048_577) },
    { what: "another type", status: 415, type: "text/plain", body: GOOD },
    { what: "the receipt of no message", status: 404, method: "GET", id: "none" },
    { what: "the receipt of no id", status: 400, method: "GET", id: "a%20b" },
    { what: "the receipt of no producer", status: 400, method: "GET", id: "a", query: "?producer=" },
    { what: "another's receipt", status: 403, method: "GET", id: "a", query: "?producer=ann" },
    { what: "a receipt without a token", status: 401, method: "GET", id: "a", token: "" },
    { what: "a cancel before any run", status: 200, method: "DELETE", id: "early" },
    { what: "a cancel of no id", status: 400, method: "DELETE", id: "a%20b" },
  ])("to $what with $status", async ({ status, ...asked }) => {
    expect((await call(asked)).status).toBe(status);
  });

  test.each(["/v1/users/{user}/connections", "/v1/connections/{id}"])("to DELETE %s", async (route) => {
    const admin = await tokenFor("ops", { admin: true });
    const asked = { method: "DELETE", route, id: "eve" } as const;
    expect(await call({ ...asked, token: admin })).toMatchObject({ status: 200, answer: { closed: 0 } });
    expect((await call({ ...asked, token: admin, id: "a%20b" })).status).toBe(400);
    expect((await call({ ...asked, token: admin, query: "?before=then" })).status).toBe(400);
    expect((await call({ ...asked, token: "" })).status).toBe(401);
    expect((await call(asked)).status).toBe(403);
    const end = router.spy.startOutage(503, { concerns: ({ method }) => method === "DELETE" });
    const id = route.includes("user") ? "ann" : "eve";
    const ann = await connect(router, "ann");
    expect((await call({ ...asked, token: admin, id })).status).toBe(503);
    end();
    await ann.close();
  });

  test("to a token without grants", async () => {
    const token = await tokenFor("shop", { publish: [] });
    expect((await call({ token, body: GOOD })).status).toBe(403);
    expect((await call({ token, method: "GET", id: "a" })).status).toBe(403);
  });

  test("to a target that the token does not grant, in an array too", async () => {
    const token = await tokenFor("shop", { publish: ["topic:news"] });
    expect((await call({ token, body: GOOD })).status).toBe(403);
    expect((await call({ token, body: [GOOD] })).status).toBe(403);
  });

  test("with the receipt of a delivered message", async () => {
    await call({ body: { ...GOOD, id: "done" } });
    await router.spy.idle();
    expect((await call({ method: "GET", id: "done" })).answer).toMatchObject({ id: "done" });
  });
});

test("the OpenAPI document has that a receipt was not kept, which no time makes different", () => {
  const path = openApi().paths["/v1/messages/{id}"];
  for (const { responses } of [path.get, path.delete]) {
    const described = (responses as Readonly<Record<string, Described>>)["404"];
    expect(Object.keys(described?.content["application/problem+json"]?.examples ?? {})).toEqual([
      "RECEIPT_NOT_FOUND",
      "RECEIPT_NOT_KEPT",
    ]);
    expect(described?.headers?.["Retry-After"]?.required).toBe(false);
  }
});

const NEVER = () => () => new Promise<never>(() => {});
const CRASH = () => () => Promise.reject(new Error("boom"));

test.each([
  { what: "a crash", status: 500, handlers: { ingest: CRASH, receipts: CRASH }, limits: {} },
  {
    what: "its time-out",
    status: 503,
    handlers: { ingest: NEVER, receipts: NEVER },
    limits: { httpTimeout: 50 },
  },
  { what: "its throttle", status: 429, handlers: {}, limits: { requestRate: 0, requestBurst: 0 } },
])("the OpenAPI document has what the gateway answers by itself to $what", async ({
  status,
  handlers,
  limits,
}) => {
  const { url } = await startTiny(handlers, { limits });
  expect((await call({ url, body: GOOD })).status).toBe(status);
  expect((await call({ url, method: "GET", id: "a" })).status).toBe(status);
});

test("the AsyncAPI document has each frame that a socket gets", async () => {
  const client = await connect(router, "ann", [], { subscribe: ["orders"] });
  const types = new Set<string>();
  const next = async () => {
    const got = (await client.next()) as { type: string };
    types.add(got.type);
    expect(faults(sentFrame(got.type), got)).toEqual([]);
    return got;
  };
  client.send({ type: "subscribe", topics: ["orders", "secret", "no topic"], ref: 1 });
  expect(await next()).toMatchObject({
    topics: ["orders"],
    refused: [{ topic: "secret" }, { topic: "no topic" }],
  });
  await call({ body: { ...GOOD, event: "order.shipped" } });
  expect(await next()).toMatchObject({ topic: "orders", event: "order.shipped" });
  await call({ body: { target: { user: "ann" }, data: null } });
  expect(await next()).toMatchObject({ to: "user", data: null });
  for (const sent of [
    { type: "ping", positions: { orders: 1, secret: 1 }, ref: "two" },
    { type: "history", topic: "orders", since: 1 },
    { type: "pong" },
    "{",
    { type: "unsubscribe", topics: ["orders"] },
    { type: "token", token: await tokenFor("ann", { subscribe: ["orders"] }) },
  ]) {
    client.send(sent);
    await next();
  }
  await client.close();
  expect([...types].sort()).toEqual(framesSent());
});

/** The types of the frames that the router sends, by the document's operations. */
function framesSent(): readonly string[] {
  const { operations, components } = asyncApi();
  const sent = Object.values(operations as Record<string, Operation>).flatMap(
    ({ action, messages, reply }) => (action === "send" ? messages : (reply?.messages ?? [])),
  );
  const names = sent.map(({ $ref }) => $ref.split("/").at(-1) ?? "");
  return [...new Set(names.map((name) => components.messages[name]?.name ?? ""))].sort();
}

interface Operation {
  readonly action: "send" | "receive";
  readonly messages: readonly { readonly $ref: string }[];
  readonly reply?: { readonly messages: readonly { readonly $ref: string }[] };
}
