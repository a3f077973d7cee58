import { expect, test } from "vitest";
import type { PublishRequest } from "../../client/index.ts";
import { world } from "./support/world.ts";

const REQUEST = { target: { topic: "orders" }, data: { total: 3 } };

type Answer = (signal?: AbortSignal | null) => Response | Promise<Response>;

/** A client whose HTTP API answers with these, the last one again and again. */
const publishing = (...answers: Answer[]) => publishingOf(REQUEST, ...answers);

async function publishingOf(request: PublishRequest, ...answers: Answer[]) {
  const it = world();
  const asked: { url: string; authorization: string; body: { id: string } }[] = [];
  it.script.onFetch = (url, init) => {
    const { authorization = "" } = init?.headers as Record<string, string>;
    asked.push({ url, authorization, body: JSON.parse(String(init?.body)) });
    return (answers[asked.length - 1] ?? answers.at(-1))?.(init?.signal) ?? Response.error();
  };
  let made = 0;
  const client = it.connect({ token: () => `a.b.${++made}` });
  await it.settle();
  const result = client.publish(request).catch((fault: unknown) => fault);
  await it.advance(300_000);
  return { asked, result: await result };
}
const queued = () => Response.json({ id: "m-1", state: "queued" }, { status: 202 });
/** What `fetch` does on a socket that is half open: nothing, until it is told to end. */
const unanswered: Answer = (signal) =>
  new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
const cut = () => new ReadableStream({ start: (body) => body.error(new TypeError("network error")) });
const problem =
  (status: number, code: string, headers = {}) =>
  () =>
    Response.json({ code, detail: `it is ${code}` }, { status, headers });

test("a message is posted with an id of its own and the token of the connection", async () => {
  const { asked, result } = await publishing(queued);
  expect(result).toEqual({ id: "m-1", state: "queued" });
  expect(asked).toEqual([
    {
      url: "https://push.example.com/v1/messages",
      authorization: "Bearer a.b.1",
      body: { ...REQUEST, id: expect.stringMatching(/^[\w-]{10,}$/) },
    },
  ]);
});

test.each([
  { why: "the lane is full", first: problem(429, "LANE_FULL", { "retry-after": "2" }) },
  { why: "the queue refuses", first: problem(503, "QUEUE_UNAVAILABLE") },
  { why: "the network fails", first: () => Promise.reject(new TypeError("failed to fetch")) },
  { why: "the answer is cut", first: () => new Response(cut(), { status: 202 }) },
  { why: "the gateway answers something else", first: () => new Response("<html>", { status: 502 }) },
])("where $why it is posted again, with the same id", async ({ first }) => {
  const { asked, result } = await publishing(first, queued);
  expect(result).toMatchObject({ state: "queued" });
  expect(asked).toHaveLength(2);
  expect(asked[0]?.body).toEqual(asked[1]?.body);
});

test("an id that is undefined is one that is absent: tries that are repeated have the same", async () => {
  const request = { ...REQUEST, id: undefined } as object as PublishRequest;
  const { asked } = await publishingOf(request, problem(503, "QUEUE_UNAVAILABLE"), queued);
  expect(asked[1]?.body.id).toMatch(/^[\w-]{10,}$/);
  expect(asked[0]?.body).toEqual(asked[1]?.body);
});

test("an answer that is no router's is none that says that the message is stored", async () => {
  const { result } = await publishing(() => new Response("<html>", { status: 200 }));
  expect(result).toMatchObject({ name: "ClientError", code: "GATEWAY", message: "HTTP status 200" });
});

test("a token that is refused is replaced by a fresh one, once", async () => {
  const { asked, result } = await publishing(problem(401, "TOKEN_EXPIRED"), queued);
  expect(asked.map(({ authorization }) => authorization)).toEqual(["Bearer a.b.1", "Bearer a.b.2"]);
  expect(result).toMatchObject({ state: "queued" });
  const busy = await publishing(problem(401, "TOKEN_EXPIRED"), problem(503, "QUEUE_UNAVAILABLE"), queued);
  expect(busy.asked.filter(({ authorization }) => authorization === "Bearer a.b.1")).toHaveLength(1);
  const again = await publishing(problem(401, "TOKEN_INVALID"));
  expect(again.asked).toHaveLength(2);
  expect(again.result).toMatchObject({
    name: "ClientError",
    code: "TOKEN_INVALID",
    message: "it is TOKEN_INVALID",
  });
});

test("no try begins when the router may have forgotten the first: none waits for hours, or comes after a sleep", async () => {
  const full = problem(429, "LANE_FULL", { "retry-after": "3600" });
  const { asked, result } = await publishing(full, queued);
  expect([asked.length, result]).toMatchObject([1, { code: "LANE_FULL" }]);
  const it = world();
  const client = it.connect();
  await it.settle();
  let posts = 0;
  it.script.onFetch = () => {
    posts += 1;
    throw new TypeError("the network is gone");
  };
  const lost = client.publish(REQUEST).catch((fault: unknown) => fault);
  await it.advance(1);
  await it.sleep(8 * 3_600_000);
  await it.advance(300_000);
  expect([posts, await lost]).toMatchObject([1, { code: "UNREACHABLE" }]);
});

test("a client that is closed posts with no token of before: nobody may be signed in any more", async () => {
  const it = world();
  const asked: unknown[] = [];
  it.script.onFetch = (_, init) => {
    asked.push(init?.headers);
    return queued();
  };
  let token: string | null = "a.b.c";
  const client = it.connect({ token: () => token });
  await it.settle();
  client.close();
  token = null;
  await expect(client.publish(REQUEST)).rejects.toMatchObject({ code: "SIGNED_OUT" });
  token = "d.e.f";
  expect(await client.publish(REQUEST)).toMatchObject({ state: "queued" });
  expect(asked).toMatchObject([{ authorization: "Bearer d.e.f" }]);
});

test.each([
  {
    why: "a message that is refused",
    answer: problem(403, "TARGET_FORBIDDEN"),
    tries: 1,
    code: "TARGET_FORBIDDEN",
  },
  { why: "a lane that stays full", answer: problem(429, "LANE_FULL"), tries: 4, code: "LANE_FULL" },
  { why: "a router that never answers", answer: unanswered, tries: 4, code: "UNREACHABLE" },
  {
    why: "a router that is away",
    answer: () => Promise.reject(new TypeError("x")),
    tries: 4,
    code: "UNREACHABLE",
  },
])("$why rejects after $tries tries", async ({ answer, tries, code }) => {
  const { asked, result } = await publishing(answer);
  expect(asked).toHaveLength(tries);
  expect(result).toMatchObject({ code });
});
