import { expect, test } from "vitest";
import { problem } from "../../shared/protocol/errors.ts";
import { type Answer, scripted } from "./support.ts";

const RECEIPT = {
  id: "m-1",
  producer: "shop",
  state: "delivered",
  counts: { sent: 1, gone: 0, failed: 0, pending: 0 },
  attempts: 1,
  updatedAt: "2026-01-31T12:00:01.000Z",
};
const found = (state: string, more = {}): Answer => ({ status: 200, body: { ...RECEIPT, state, ...more } });
const NOT_FOUND: Answer = {
  status: 404,
  body: problem({ code: "RECEIPT_NOT_FOUND", detail: "no run has met m-1", retryAfter: 1 }),
  headers: { "retry-after": "1" },
};

test("a receipt is read, and undefined while there is none", async () => {
  const { publisher, asked } = await scripted([NOT_FOUND, found("retrying")]);
  expect(await publisher.receipt("m-1")).toBeUndefined();
  expect(await publisher.receipt("m-1")).toEqual({ ...RECEIPT, state: "retrying" });
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(Array(2).fill("GET /v1/messages/m-1"));
});

test("a 404 that is not the router's is no missing receipt", async () => {
  const { publisher } = await scripted([{ status: 404, body: "<html>" }]);
  await expect(publisher.receipt("m-1")).rejects.toMatchObject({ code: "RESPONSE_INVALID", status: 404 });
  const { publisher: other } = await scripted([{ status: 200, body: { hello: 1 } }]);
  await expect(other.receipt("m-1")).rejects.toMatchObject({ code: "RESPONSE_INVALID" });
});

test("cancel deletes, and returns the receipt after it; ids and producers are escaped", async () => {
  const { publisher, asked } = await scripted([found("cancelled")]);
  expect(await publisher.cancel("a:b", { producer: "x&y" })).toMatchObject({ state: "cancelled" });
  expect(asked[0]).toMatchObject({ method: "DELETE", path: "/v1/messages/a%3Ab?producer=x%26y" });
});

test.each<{
  why: string;
  target: Parameters<Awaited<ReturnType<typeof scripted>>["publisher"]["disconnect"]>;
  path: string;
}>([
  { why: "a user", target: [{ user: "ann/b" }], path: "/v1/users/ann%2Fb/connections" },
  {
    why: "a user before a time",
    target: [{ user: "ann" }, { before: new Date("2026-01-01T00:00:00Z") }],
    path: "/v1/users/ann/connections?before=2026-01-01T00%3A00%3A00.000Z",
  },
  { why: "a connection", target: [{ connection: "a+b/c=" }], path: "/v1/connections/a%2Bb%2Fc%3D" },
])("disconnect of $why asks for $path", async ({ target, path }) => {
  const { publisher, asked } = await scripted([
    { status: 503 },
    { status: 200, body: { closed: 2, more: false } },
  ]);
  expect(await publisher.disconnect(...target)).toEqual({ closed: 2 });
  expect(asked.map((request) => `${request.method} ${request.path}`)).toEqual(
    Array(2).fill(`DELETE ${path}`),
  );
});

test("a disconnect that is forbidden throws the router's reason", async () => {
  const body = problem({ code: "DISCONNECT_FORBIDDEN", detail: "only an admin" });
  const { publisher } = await scripted([{ status: 403, body }]);
  await expect(publisher.disconnect({ user: "ann" })).rejects.toMatchObject({ code: "DISCONNECT_FORBIDDEN" });
});

test("disconnect goes on while there are more, and waits a second after a request that closed none", async () => {
  const closed = (count: number, more: boolean): Answer => ({ status: 200, body: { closed: count, more } });
  const { publisher, asked } = await scripted([closed(100, true), closed(0, true), closed(3, false)]);
  expect(await publisher.disconnect({ user: "ann" })).toEqual({ closed: 103 });
  expect(asked.map(({ at }) => at)).toEqual([0, 0, 1_000]);
  const { publisher: stuck, asked: tries } = await scripted([closed(1, true), closed(0, true)]);
  await expect(stuck.disconnect({ user: "ann" })).rejects.toMatchObject({ code: "DISCONNECT_INCOMPLETE" });
  expect(tries).toHaveLength(41);
});

test("a response without a number of connections is no router's", async () => {
  const { publisher } = await scripted([{ status: 200, body: {} }]);
  await expect(publisher.disconnect({ user: "ann" })).rejects.toMatchObject({ code: "RESPONSE_INVALID" });
});

test("waitFor returns the receipt of any ending, and asks no sooner than Retry-After says", async () => {
  const { publisher, asked } = await scripted(
    [NOT_FOUND, found("delivering"), found("partial")],
    {},
    { random: 0 },
  );
  expect(await publisher.waitFor("m-1")).toMatchObject({ state: "partial" });
  expect(asked.map(({ at }) => at)).toEqual([0, 1_000, 1_375]);
});

test("waitFor asks ever less often: at most 20 times in a minute, and every 5 to 7 seconds in the end", async () => {
  const { publisher, asked } = await scripted([found("retrying")], {}, { random: 0.99 });
  const waited = publisher.waitFor("m-1", { timeoutSeconds: 60 });
  await expect(waited).rejects.toMatchObject({
    code: "WAIT_TIMED_OUT",
    message: "m-1 is retrying after 60 s",
  });
  const times = asked.map(({ at }) => at);
  expect(times.length).toBeLessThanOrEqual(20);
  expect(times.length).toBeGreaterThan(10);
  const last = times.slice(-3).map((at, i, all) => at - (all[i - 1] ?? at));
  for (const gap of last.slice(1)) expect(gap >= 5_000 && gap <= 7_000).toBe(true);
  expect(Math.max(...times)).toBeLessThanOrEqual(60_000);
});

test("waitFor gives up on an id that nobody posted, and says so", async () => {
  const { publisher } = await scripted([NOT_FOUND]);
  await expect(publisher.waitFor("m-1", { timeoutSeconds: 10 })).rejects.toMatchObject({
    code: "WAIT_TIMED_OUT",
    message: "m-1 has no receipt after 10 s",
  });
});

test.each([
  { why: "cannot be reached", answer: "cut" as const },
  { why: "is full", answer: { status: 503, headers: { "retry-after": "9" } } },
])("waitFor starts no request after its time if the router $why", async ({ answer }) => {
  const { publisher, asked } = await scripted([answer], { maxAttempts: 100 });
  const waited = publisher.waitFor("m-1", { timeoutSeconds: 20 });
  await expect(waited).rejects.toMatchObject({ name: "RouterError" });
  expect(asked.length).toBeGreaterThan(1);
  expect(Math.max(...asked.map(({ at }) => at))).toBeLessThanOrEqual(20_000);
});

test.each([
  { ending: "delivered", state: "delivered", good: true },
  { ending: ["delivered", "partial"], state: "partial", good: true },
  { ending: ["delivered", "partial"], state: "dead", good: false },
  { ending: "cancelled", state: "delivered", good: false },
] as const)("waitFor($ending) of a message that ended $state: $good", async ({ ending, state, good }) => {
  const { publisher } = await scripted([found(state, { reason: "because" })]);
  const waited = publisher.waitFor("m-1", { ending });
  if (good) expect(await waited).toMatchObject({ state });
  else
    await expect(waited).rejects.toMatchObject({
      code: "ENDING_UNEXPECTED",
      message: expect.stringContaining(`m-1 ended ${state} (because), and not`),
    });
});

test("waitFor waits a fault of the router out", async () => {
  const { publisher } = await scripted([
    "cut",
    { status: 503 },
    found("delivering"),
    "cut",
    found("delivered"),
  ]);
  expect(await publisher.waitFor("m-1")).toMatchObject({ state: "delivered" });
});

test("an aborted wait ends with ABORTED, while it waits and while it asks", async () => {
  const controller = new AbortController();
  const { publisher } = await scripted(() => {
    controller.abort(new Error("enough"));
    return "hang";
  });
  const { signal } = controller;
  await expect(publisher.waitFor("m-1", { signal })).rejects.toMatchObject({
    code: "ABORTED",
    cause: { message: "enough" },
  });
  const pausing = new AbortController();
  const { publisher: other } = await scripted(() => {
    pausing.abort();
    return found("delivering");
  });
  await expect(other.waitFor("m-1", { signal: pausing.signal })).rejects.toMatchObject({ code: "ABORTED" });
});
