import { UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Router } from "../../local/options.ts";
import type { ErrorCode } from "../../shared/protocol/errors.ts";
import { BODY_BYTES, FRAME_BYTES } from "../../shared/protocol/limits.ts";
import type { Message } from "../../shared/protocol/message.ts";
import { messageFrame } from "../../shared/protocol/message-frame.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { claimsOf, signToken } from "../../testing/sign-token.ts";
import { tokenFor } from "../support/client.ts";
import { aMessage } from "../support/message.ts";
import { expectProblem, pointersIn } from "../support/problem.ts";
import { RUNTIMES } from "../support/runtimes.ts";

interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const GOOD = JSON.stringify({ target: { topic: "orders" }, data: 1 });

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  let router: Router;
  let token: string;
  beforeAll(async () => {
    router = await startRouter();
    token = await tokenFor("producer");
  });
  afterAll(() => router.stop(0));

  /** A POST of a good message, where nothing else is said. */
  async function send({ method = "POST", path = "/v1/messages", headers = {}, body = GOOD }: Request = {}) {
    const response = await fetch(`${router.url}${path}`, {
      method,
      headers: { "content-type": "application/json", authorization: `Bearer ${token}`, ...headers },
      ...(method === "POST" ? { body } : {}),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text) as unknown };
  }

  async function expectRefused(request: Request, code: ErrorCode): Promise<unknown> {
    const answer = await send(request);
    expectProblem(answer, code);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    return answer.body;
  }

  describe("a token", () => {
    const seconds = (from: number) => Math.floor(Date.now() / 1000) + from;
    const signed = (claims: object, alg = "HS256", secret = DEV_SECRET) =>
      signToken({ sub: "ann", publish: ["*"], exp: seconds(60), ...claims }, { alg, secret });
    const unsigned = async () =>
      new UnsecuredJWT(claimsOf({ sub: "ann", publish: ["*"], exp: seconds(60) })).encode();

    test.each([
      { why: "it is empty", authorization: "" },
      { why: "it is no bearer's", authorization: "Basic YW5uOnNlY3JldA==" },
      { why: "it is not there", authorization: "Bearer " },
      { why: "it is two", authorization: "Bearer a b" },
    ])("is missed when $why", async ({ authorization }) => {
      await expectRefused({ headers: { authorization } }, "TOKEN_MISSING");
    });

    const bad: readonly { why: string; code?: ErrorCode; make: () => Promise<string> }[] = [
      { why: "it is none", make: async () => "abc" },
      { why: "nobody signed it", make: unsigned },
      { why: "somebody else signed it", make: () => signed({}, "HS256", `${DEV_SECRET}!`) },
      { why: "it is signed in another way", make: () => signed({}, "HS512", DEV_SECRET.repeat(2)) },
      { why: "it has expired", code: "TOKEN_EXPIRED", make: () => signed({ exp: seconds(-60) }) },
      { why: "it has no end", make: () => signed({ exp: undefined }) },
      { why: "its time has not come", make: () => signed({ nbf: seconds(60) }) },
      { why: "it names nobody", make: () => signed({ sub: undefined }) },
      { why: "its grant is a text", make: () => signed({ publish: "*" }) },
    ];
    test.each(bad)("is refused when $why", async ({ make, code = "TOKEN_INVALID" }) => {
      const authorization = `Bearer ${await make()}`;
      await expectRefused({ headers: { authorization } }, code);
      for (const method of ["GET", "DELETE"]) {
        await expectRefused({ method, path: "/v1/messages/some", headers: { authorization } }, code);
      }
    });

    test("is asked for by the name of its scheme, which may be written in any case", async () => {
      const { headers } = await send({ headers: { authorization: "" } });
      expect(headers.get("www-authenticate")).toBe("Bearer");
      expect((await send({ headers: { authorization: `bearer ${token}` } })).status).toBe(202);
    });

    test.each([
      { publish: ["topic:orders/*"], target: { topic: "orders" } },
      { publish: ["topic:*"], target: { user: "ann" } },
      { publish: ["user:*"], target: { everyone: true } },
      { publish: ["user:*"], target: { connection: "abc=" } },
      { publish: ["region:gd"], target: { tags: { any: ["region:gd", "region:bj"] } } },
      { publish: ["region:gd"], target: { tags: { none: ["region:bj"] } } },
      { publish: [], target: { topic: "orders" } },
    ])("that grants $publish does not reach $target", async ({ publish, target }) => {
      const authorization = `Bearer ${await tokenFor("narrow", { publish })}`;
      const body = JSON.stringify({ target, data: 1 });
      await expectRefused({ headers: { authorization }, body }, "TARGET_FORBIDDEN");
    });
  });

  describe("a body", () => {
    test.each([
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/jsonp",
      "json",
      "*/*",
    ])("of the type %s is refused", async (type) => {
      await expectRefused({ headers: { "content-type": type } }, "CONTENT_TYPE_UNSUPPORTED");
    });

    test("without a type is refused", async () => {
      const body = new TextEncoder().encode(GOOD);
      await expectRefused({ headers: { "content-type": "" }, body }, "CONTENT_TYPE_UNSUPPORTED");
    });

    test.each([
      "application/json; charset=utf-8",
      "Application/JSON",
      " application/json ;a=b",
    ])("of the type %s is taken", async (type) => {
      expect((await send({ headers: { "content-type": type } })).status).toBe(202);
    });

    test.each([
      "",
      " ",
      "{",
      "{'a':1}",
      "undefined",
      `${GOOD}${GOOD}`,
      "\ufeff1",
      "[".repeat(100_000),
    ])("that is not JSON is refused: %.20s", async (body) => {
      await expectRefused({ body }, "BODY_NOT_JSON");
    });

    test.each(["null", "1", '"text"', "true"])("that is %s and no message is refused", async (body) => {
      expect(pointersIn(await expectRefused({ body }, "MESSAGE_INVALID"))).toEqual([""]);
    });

    test("of more than 1 MiB is refused, of 1 MiB it is not", async () => {
      const padded = (bytes: number) => GOOD.padEnd(bytes, " ");
      expect((await send({ body: padded(BODY_BYTES) })).status).toBe(202);
      await expectRefused({ body: padded(BODY_BYTES + 1) }, "BODY_TOO_LARGE");
    });
  });

  describe("a message", () => {
    test.each([
      { message: {}, at: ["/target", "/data"] },
      { message: { target: {}, data: 1 }, at: ["/target"] },
      { message: { target: { topic: "a", user: "b" }, data: 1 }, at: ["/target"] },
      { message: { target: { topic: "orders/*" }, data: 1 }, at: ["/target/topic"] },
      {
        message: { target: { tags: { all: ["gd"], none: [] } }, data: 1 },
        at: ["/target/tags/all/0", "/target/tags/none"],
      },
      { message: { target: { topic: "a" }, data: 1, prio: "high", to: 1 }, at: ["/prio", "/to"] },
      {
        message: { id: "a b", target: { user: 1 }, event: "", priority: "top", ttlSeconds: 0, "a/b~c": 1 },
        at: ["/id", "/target/user", "/event", "/data", "/priority", "/ttlSeconds", "/a~1b~0c"],
      },
      { message: { target: { topic: "a" }, data: 1, expiresAt: "2020-01-01T00:00:00Z" }, at: ["/expiresAt"] },
      { message: { target: { topic: "a" }, data: 1, delaySeconds: 60, ttlSeconds: 30 }, at: ["/ttlSeconds"] },
    ])("with all these bad fields is refused: $at", async ({ message, at }) => {
      const body = await expectRefused({ body: JSON.stringify(message) }, "MESSAGE_INVALID");
      expect(pointersIn(body)).toEqual(at);
    });

    const deep = (levels: number) =>
      `{"target":{"topic":"a"},"data":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    test.each([
      { what: "nests too deep", body: deep(101) },
      { what: "nests as deep as a body may be large", body: deep(500_000) },
      { what: "holds a number that no double holds", body: '{"target":{"topic":"a"},"data":{"n":1e999}}' },
    ])("whose data $what is refused", async ({ body }) => {
      expect(pointersIn(await expectRefused({ body }, "MESSAGE_INVALID"))).toEqual(["/data"]);
    });

    test.each([
      "x",
      "é",
      "🎉",
      "\u0000",
    ])("whose frame is larger than a socket takes is refused, of %j too", async (unit) => {
      const message = (data: string) => ({ id: "size" as Message["id"], data });
      // The message may get a number in a stream on its way.
      const numbered = (data: string) => ({
        ...messageFrame(aMessage(message(data))),
        seq: Number.MAX_SAFE_INTEGER,
      });
      const bytes = (data: string) => Buffer.byteLength(JSON.stringify(numbered(data)));
      const each = bytes(unit) - bytes("");
      const most = Math.floor((FRAME_BYTES - bytes("")) / each);
      const post = (count: number) => ({
        body: JSON.stringify({ target: { topic: "orders" }, ...message(unit.repeat(count)) }),
      });
      expect((await send(post(most))).status).toBe(202);
      await expectRefused(post(most + 1), "MESSAGE_TOO_LARGE");
    });
  });

  describe("an array", () => {
    test.each([0, 101])("of %i messages is refused", async (count) => {
      await expectRefused({ body: JSON.stringify(Array(count).fill(JSON.parse(GOOD))) }, "BATCH_INVALID");
    });

    test("has a result for each item, and a bad one does not sink the rest", async () => {
      const authorization = `Bearer ${await tokenFor("narrow", { publish: ["topic:orders"] })}`;
      const target = { topic: "orders" };
      const items = [
        { id: "first", target, data: 1 },
        { id: "no data", target },
        { id: "elsewhere", target: { topic: "secret" }, data: 1 },
        null,
        { id: "large", target, data: "x".repeat(FRAME_BYTES) },
        [],
        { id: "last", target, data: 1 },
      ];
      const { status, body } = await send({ headers: { authorization }, body: JSON.stringify(items) });
      const results = body as { id?: string; state: string; problem?: { code: string } }[];
      expect(status).toBe(202);
      expect(results.map(({ id, state, problem }) => [id, problem?.code ?? state])).toEqual([
        ["first", "queued"],
        ["no data", "MESSAGE_INVALID"],
        ["elsewhere", "TARGET_FORBIDDEN"],
        [undefined, "MESSAGE_INVALID"],
        ["large", "MESSAGE_TOO_LARGE"],
        [undefined, "MESSAGE_INVALID"],
        ["last", "queued"],
      ]);
      expect(results.map(({ problem }) => pointersIn(problem ?? {}))).toEqual([
        [],
        ["/1/id", "/1/data"],
        [],
        ["/3"],
        [],
        ["/5"],
        [],
      ]);
    });

    test("of nothing but bad items has the status of the first", async () => {
      const items = [{ target: { topic: "orders" }, data: "x".repeat(FRAME_BYTES) }, {}];
      expect((await send({ body: JSON.stringify(items) })).status).toBe(413);
      expect((await send({ body: JSON.stringify(items.toReversed()) })).status).toBe(400);
    });
  });

  describe.each(["GET", "DELETE"])("%s of a receipt", (method) => {
    test.each([
      { path: "/v1/messages/a%20b", code: "MESSAGE_INVALID", at: ["/id"] },
      { path: "/v1/messages/%00", code: "MESSAGE_INVALID", at: ["/id"] },
      { path: "/v1/messages/%", code: "MESSAGE_INVALID", at: ["/id"] },
      { path: "/v1/messages/%ff", code: "MESSAGE_INVALID", at: ["/id"] },
      { path: "/v1/messages/a%23b", code: "MESSAGE_INVALID", at: ["/id"] },
      { path: `/v1/messages/${"x".repeat(129)}`, code: "MESSAGE_INVALID", at: ["/id"] },
      { path: "/v1/messages/some?producer=bob", code: "RECEIPT_FORBIDDEN", at: [] },
      { path: "/v1/messages/some?producer=%2A", code: "MESSAGE_INVALID", at: ["/producer"] },
      { path: "/v1/messages", code: "ROUTE_NOT_FOUND", at: [] },
      { path: "/v1/messages/", code: "ROUTE_NOT_FOUND", at: [] },
      { path: "/v1/messages/a/b", code: "ROUTE_NOT_FOUND", at: [] },
    ] as const)("at $path is refused", async ({ path, code, at }) => {
      expect(pointersIn(await expectRefused({ method, path }, code))).toEqual(at);
    });
  });

  test("a receipt that nobody knows is not found", async () => {
    await expectRefused({ method: "GET", path: "/v1/messages/never" }, "RECEIPT_NOT_FOUND");
  });

  test("an id of another producer is not found, nor cancelled, by its name alone", async () => {
    await send({ body: JSON.stringify({ id: "mine", target: { topic: "orders" }, data: 1 }) });
    await router.spy.idle({ timeout: 60_000 });
    const authorization = `Bearer ${await tokenFor("mallory")}`;
    await expectRefused(
      { method: "GET", path: "/v1/messages/mine", headers: { authorization } },
      "RECEIPT_NOT_FOUND",
    );
    expect((await send({ method: "GET", path: "/v1/messages/mine" })).body).toMatchObject({
      state: "no-recipients",
    });
  });

  test("a fault of ours that has no name is a 500 without a word of it, and counts itself", async () => {
    const lines: string[] = [];
    let isBroken = false;
    const broken = await startRouter({
      write: (line) => lines.push(line),
      // The id of a message begins with it.
      random: () => {
        if (isBroken) throw new Error("boom");
        return 0.5;
      },
    });
    onTestFinished(async () => void (await broken.stop(0)));
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    isBroken = true;
    const response = await fetch(`${broken.url}/v1/messages`, { method: "POST", headers, body: GOOD });
    expect([response.status, await response.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
    expect(lines.join()).toContain("boom");
    const metrics = await (await fetch(`${broken.url}/metrics`)).text();
    expect(metrics).toMatch(/^tagwire_faults_total\{[^}]*service="ingest"[^}]*\} 1$/m);
  });
});
