import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { publisherOn } from "../../server/publisher.ts";
import { SYSTEM } from "../../server/runtime.ts";
import { problem } from "../../shared/protocol/errors.ts";
import { type Answer, type Asked, accepting, scripted } from "./support.ts";

const MESSAGE = { target: { topic: "orders" }, data: { total: 1 } };
const refusal = (code: Parameters<typeof problem>[0]["code"], retryAfter?: number) =>
  problem({ code, detail: `because of ${code}`, ...(retryAfter === undefined ? {} : { retryAfter }) });
const QUEUED: Answer = { status: 202, body: { id: "made-1", state: "queued" } };

test.each<{ why: string; first: Answer; after: number }>([
  { why: "the connection is cut", first: "cut", after: 0 },
  { why: "the gateway throttles", first: { status: 429, body: { message: "Too Many Requests" } }, after: 0 },
  {
    why: "the function crashed",
    first: { status: 500, body: { message: "Internal Server Error" } },
    after: 0,
  },
  {
    why: "the lane is full",
    first: { status: 429, body: refusal("LANE_FULL"), headers: { "retry-after": "7" } },
    after: 7_000,
  },
  { why: "the queue is away", first: { status: 503, body: refusal("QUEUE_UNAVAILABLE", 3) }, after: 3_000 },
  {
    why: "a proxy names a date",
    first: { status: 503, body: "<html>", headers: { "retry-after": "Thu, 01 Jan 2026 00:00:09 GMT" } },
    after: 9_000,
  },
])("a message is published again with the id of the first attempt if $why", async ({ first, after }) => {
  const { publisher, asked } = await scripted([first, QUEUED]);
  expect(await publisher.publish(MESSAGE)).toEqual({ id: "made-1", state: "queued" });
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "POST /v1/messages",
    "POST /v1/messages",
  ]);
  expect(asked.map(({ body }) => body)).toEqual([1, 2].map(() => ({ ...MESSAGE, id: "made-1" })));
  expect(asked[0]?.headers).toMatchObject({
    authorization: "Bearer a.token.given",
    "content-type": "application/json",
  });
  // Half of the first delay of 250 ms, since the random number is 0.5.
  expect(asked[1]?.at).toBe(after + 125);
});

test.each<{ why: string; answer: Answer; code: string; attempts: number; status?: number }>([
  { why: "a router that is away", answer: "cut", code: "ROUTER_UNREACHABLE", attempts: 8 },
  {
    why: "a gateway that throttles for good",
    answer: { status: 429, body: {} },
    code: "ROUTER_UNAVAILABLE",
    attempts: 8,
    status: 429,
  },
  {
    why: "a queue that stays away",
    answer: { status: 503, body: refusal("QUEUE_UNAVAILABLE") },
    code: "QUEUE_UNAVAILABLE",
    attempts: 8,
    status: 503,
  },
  {
    why: "a wait beyond the bound",
    answer: { status: 503, body: {}, headers: { "retry-after": "61" } },
    code: "ROUTER_UNAVAILABLE",
    attempts: 1,
    status: 503,
  },
  {
    why: "a message that breaks the schema",
    answer: { status: 400, body: refusal("MESSAGE_INVALID") },
    code: "MESSAGE_INVALID",
    attempts: 1,
    status: 400,
  },
  {
    why: "a target that is not granted",
    answer: { status: 403, body: refusal("TARGET_FORBIDDEN") },
    code: "TARGET_FORBIDDEN",
    attempts: 1,
    status: 403,
  },
  {
    why: "a token that is not good",
    answer: { status: 401, body: refusal("TOKEN_INVALID") },
    code: "TOKEN_INVALID",
    attempts: 1,
    status: 401,
  },
  {
    why: "a server that is no router",
    answer: { status: 200, body: "<html>" },
    code: "RESPONSE_INVALID",
    attempts: 1,
  },
  {
    why: "a result of no known shape",
    answer: { status: 202, body: { done: true } },
    code: "RESPONSE_INVALID",
    attempts: 1,
  },
  {
    why: "a redirect",
    answer: { status: 301, headers: { location: "http://127.0.0.1:9/" } },
    code: "RESPONSE_INVALID",
    attempts: 1,
    status: 301,
  },
])("$why is $code after $attempts attempts", async ({ answer, code, attempts, status }) => {
  const { publisher, asked } = await scripted([answer]);
  const fault = await publisher.publish(MESSAGE).catch((error: unknown) => error);
  expect(fault).toMatchObject({ name: "RouterError", code, ...(status === undefined ? {} : { status }) });
  expect((fault as Error).message).not.toContain("a.token.given");
  expect(asked).toHaveLength(attempts);
});

test("the problem document stays on the error", async () => {
  const errors = [{ pointer: "/event", detail: "must not be empty" }];
  const document = problem({ code: "MESSAGE_INVALID", detail: "/event must not be empty", errors });
  const { publisher } = await scripted([{ status: 400, body: document }]);
  await expect(publisher.publish(MESSAGE)).rejects.toMatchObject({
    message: document.detail,
    problem: document,
  });
});

test("no attempt starts after the bound of time, whatever the attempts left", async () => {
  const { publisher, asked, clock } = await scripted(
    ["cut"],
    { maxAttempts: 100, retrySeconds: 30 },
    { random: 0.99 },
  );
  await expect(publisher.publish(MESSAGE)).rejects.toMatchObject({ code: "ROUTER_UNREACHABLE" });
  expect(asked.length).toBeGreaterThan(5);
  expect(Math.max(...asked.map(({ at }) => at))).toBeLessThanOrEqual(30_000);
  expect(clock.monotonic()).toBeGreaterThan(10_000);
});

test("no attempt starts after a wait that took an hour, as that of a function which was frozen", async () => {
  let now = 0;
  let asked = 0;
  const frozen = publisherOn(
    {
      ...SYSTEM,
      monotonic: () => now,
      pause: async () => {
        now += 3_600_000;
      },
      fetch: async () => {
        asked += 1;
        throw new TypeError("the network is gone");
      },
    },
    { url: "http://127.0.0.1:3000", token: "t" },
  );
  await expect(frozen.publish(MESSAGE)).rejects.toMatchObject({ code: "ROUTER_UNREACHABLE" });
  expect(asked).toBe(1);
});

test("an error without a response has neither status nor problem document", async () => {
  const { publisher } = await scripted(["cut"], { maxAttempts: 1 });
  const fault = await publisher.publish(MESSAGE).catch((error: unknown) => error as object);
  expect(["status" in fault, "problem" in fault]).toEqual([false, false]);
});

test("maxAttempts: 1 never tries again", async () => {
  const { publisher, asked } = await scripted(["cut", QUEUED], { maxAttempts: 1 });
  await expect(publisher.publish(MESSAGE)).rejects.toMatchObject({ code: "ROUTER_UNREACHABLE" });
  expect(asked).toHaveLength(1);
});

test("a request that gets no response ends at its own limit", async () => {
  // In milliseconds it is no whole number.
  const { publisher } = await scripted(["hang", QUEUED], { requestTimeoutSeconds: 0.2005 });
  expect(await publisher.publish(MESSAGE)).toMatchObject({ state: "queued" });
  const { publisher: once } = await scripted(["hang"], { requestTimeoutSeconds: 0.2, maxAttempts: 1 });
  await expect(once.publish(MESSAGE)).rejects.toMatchObject({
    message: expect.stringContaining("no response within 0.2 s"),
  });
});

/** Answers an array by the first answer left for each message; queued after that. */
function byMessage(left: Record<string, (object | undefined)[]>) {
  return ({ body }: Asked): Answer => ({
    status: 202,
    body: (body as { id: string }[]).map(({ id }) => {
      const reason = left[id]?.shift();
      return reason ? { id, state: "refused", problem: reason } : { id, state: "queued" };
    }),
  });
}

const several = (...ids: string[]) => ids.map((id) => ({ ...MESSAGE, id }));
const idsIn = (asked: readonly Asked[]) =>
  asked.map(({ body }) => (body as { id: string }[]).map(({ id }) => id));

test("of an array only the messages are sent again that may do better, and results keep their order", async () => {
  const script = byMessage({
    b: [refusal("MESSAGE_INVALID")],
    c: [refusal("LANE_FULL", 4), refusal("LANE_FULL", 2)],
    e: [refusal("QUEUE_UNAVAILABLE")],
  });
  const { publisher, asked } = await scripted(script);
  const results = await publisher.publishAll(several("a", "b", "c", "d", "e"));
  expect(results.map(({ id, state }) => `${id} ${state}`)).toEqual([
    "a queued",
    "b refused",
    "c queued",
    "d queued",
    "e queued",
  ]);
  expect(results[1]).toMatchObject({ problem: { code: "MESSAGE_INVALID" } });
  expect(idsIn(asked)).toEqual([["a", "b", "c", "d", "e"], ["c", "e"], ["c"]]);
  expect(asked.map(({ at }) => at)).toEqual([0, 4_125, 6_375]);
});

test("a message that stays refused has the router's last word", async () => {
  const { publisher, asked } = await scripted(byMessage({ a: Array(50).fill(refusal("LANE_FULL")) }));
  expect(await publisher.publishAll(several("a", "b"))).toMatchObject([
    { id: "a", state: "refused", problem: { code: "LANE_FULL" } },
    { id: "b", state: "queued" },
  ]);
  expect(asked).toHaveLength(8);
});

test.each([
  { why: "a request that got no response", first: "cut" as const },
  { why: "a failure of something in front of the router", first: { status: 502, body: "<html>" } },
])("after $why a refusal leaves it open whether the message is stored", async ({ first }) => {
  const full = { status: 429, body: refusal("LANE_FULL") };
  const { publisher } = await scripted([first, full], { maxAttempts: 2 });
  expect(await publisher.publishAll(several("a"))).toMatchObject([
    { id: "a", state: "failed", error: { code: "LANE_FULL", problem: { code: "LANE_FULL" } } },
  ]);
  const items = byMessage({ a: [refusal("LANE_FULL")] });
  let requests = 0;
  const script = (asked: Asked) => (++requests === 1 ? first : items(asked));
  const { publisher: other } = await scripted(script, { maxAttempts: 2 });
  expect(await other.publishAll(several("a", "b"))).toMatchObject([
    { id: "a", state: "failed", error: { code: "LANE_FULL", problem: { code: "LANE_FULL" } } },
    { id: "b", state: "queued" },
  ]);
});

const MANY = Array.from({ length: 250 }, (_, n) => ({ ...MESSAGE, id: `m-${n}` }));

test("after a request that failed as a whole nothing more is sent, and every message has a result", async () => {
  const { publisher, asked } = await scripted((request) =>
    idsIn([request])[0]?.[0] === "m-0" ? accepting(request) : "cut",
  );
  const results = await publisher.publishAll(MANY);
  const states = results.map(({ state }) => state);
  expect(states).toEqual([...Array(100).fill("queued"), ...Array(150).fill("failed")]);
  expect(results.map(({ id }) => id)).toEqual(MANY.map(({ id }) => id));
  expect(results[249]).toMatchObject({ error: { code: "ROUTER_UNREACHABLE" } });
  expect(asked).toHaveLength(9);
});

test("a token that is not good refuses all messages with one request", async () => {
  const { publisher, asked } = await scripted([{ status: 401, body: refusal("TOKEN_INVALID") }]);
  const results = await publisher.publishAll(MANY);
  expect(
    results.every((result) => result.state === "refused" && result.problem.code === "TOKEN_INVALID"),
  ).toBe(true);
  expect([results.length, asked.length]).toEqual([250, 1]);
});

test("an array that ends with one message is still an array, and a refusal of it stops nothing", async () => {
  const messages = [...MANY.slice(0, 100), { ...MESSAGE, id: "last" }];
  const { publisher, asked } = await scripted(byMessage({ last: [refusal("MESSAGE_TOO_LARGE")] }));
  expect((await publisher.publishAll(messages)).at(-1)).toMatchObject({ id: "last", state: "refused" });
  expect(idsIn(asked).map(({ length }) => length)).toEqual([100, 1]);
});

test("no messages are no request", async () => {
  const { publisher, asked } = await scripted(["cut"]);
  expect(await publisher.publishAll([])).toEqual([]);
  expect(asked).toEqual([]);
});

test("a message that has no JSON is thrown before anything is sent", async () => {
  const { publisher, asked } = await scripted(accepting);
  await expect(publisher.publishAll([MESSAGE, { ...MESSAGE, data: 1n }])).rejects.toThrow(TypeError);
  expect(asked).toEqual([]);
});

test("a token that cannot be had any more is the result of what is left", async () => {
  let calls = 0;
  const token = () => {
    if (++calls > 1) throw new Error("the issuer is away");
    return "opaque";
  };
  const { publisher, asked } = await scripted(accepting, { token });
  const results = await publisher.publishAll(MANY);
  expect(results.map(({ id }) => id)).toEqual(MANY.map(({ id }) => id));
  expect(results.map(({ state }) => state)).toEqual([
    ...Array(100).fill("queued"),
    ...Array(150).fill("failed"),
  ]);
  expect(results[249]).toMatchObject({ error: { code: "TOKEN_UNAVAILABLE" } });
  expect(asked).toHaveLength(1);
});

test("an aborted call ends at once, while its token is made too", async () => {
  const controller = new AbortController();
  const token = () => {
    queueMicrotask(() => controller.abort(new Error("enough")));
    return new Promise<string>(() => {});
  };
  const { publisher, asked } = await scripted(accepting, { token });
  const { signal } = controller;
  const aborted = { code: "ABORTED", cause: { message: "enough" } };
  await expect(publisher.publish(MESSAGE, { signal })).rejects.toMatchObject(aborted);
  await expect(publisher.receipt("m-1", { signal })).rejects.toMatchObject(aborted);
  expect(asked).toEqual([]);
});

test("many calls with one signal add no listeners to it", async () => {
  const { publisher } = await scripted(accepting);
  const { signal } = new AbortController();
  const calls = Array.from({ length: 20 }, () => publisher.publish(MESSAGE, { signal }));
  expect(getEventListeners(signal, "abort")).toEqual([]);
  await Promise.all(calls);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("an aborted call ends at once with ABORTED, and an array says which messages are stored", async () => {
  const controller = new AbortController();
  const { publisher } = await scripted((request) => {
    if (idsIn([request])[0]?.[0] === "m-0") return accepting(request);
    controller.abort(new Error("the page was left"));
    return "hang";
  });
  const results = await publisher.publishAll(MANY, { signal: controller.signal });
  expect(results.map(({ state }) => state)).toEqual([
    ...Array(100).fill("queued"),
    ...Array(150).fill("failed"),
  ]);
  expect(results[100]).toMatchObject({ error: { code: "ABORTED", cause: { message: "the page was left" } } });
  await expect(publisher.publish(MESSAGE, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "ABORTED",
  });
});
