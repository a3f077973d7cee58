import { PassThrough } from "node:stream";
import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { problem } from "../../shared/protocol/errors.ts";
import { start, tagwire } from "../support/command.ts";
import { httpPeer, type Recorded, type Reply } from "../support/peer.ts";

/** Accepts all, but refuses a message whose data is "bad". */
function accepting({ body }: Recorded): Reply {
  const result = (post: { id?: string; data: unknown }) =>
    post.data === "bad"
      ? { state: "refused", problem: problem({ code: "LANE_FULL", detail: "the lane is full" }) }
      : { id: post.id ?? "m-1", state: "queued" };
  return { status: 202, body: Array.isArray(body) ? body.map(result) : result(body as { data: unknown }) };
}

const jsonLines = (count: number) => Array.from({ length: count }, (_, i) => `{"n":${i}}\n`).join("");

test.each([
  { argv: ["--topic", "orders"], target: { topic: "orders" } },
  { argv: ["--user", "1001"], target: { user: "1001" } },
  { argv: ["--connection", "abc="], target: { connection: "abc=" } },
  { argv: ["--tags", "region:gd none user:1"], target: { tags: { all: ["region:gd"], none: ["user:1"] } } },
  { argv: ["--everyone"], target: { everyone: true } },
])("send $argv posts to $target", async ({ argv, target }) => {
  const { url, requests } = await httpPeer(accepting);
  const done = await tagwire(["send", ...argv, '{"total":1}'], { env: { TAGWIRE_URL: url } });
  const { id } = requests[0]?.body as { id: string };
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(done).toEqual({ code: 0, out: `queued ${id}\n`, err: "" });
  expect(requests).toMatchObject([
    { method: "POST", path: "/v1/messages", body: { target, data: { total: 1 } } },
  ]);
  expect(requests[0]?.headers["content-type"]).toBe("application/json");
});

test("every option reaches the message under its name", async () => {
  const { url, requests } = await httpPeer(accepting);
  const options = "--event order.shipped --id o-1 --priority high --ttl 60 --delay 5".split(" ");
  const { out } = await tagwire(["send", "--json", "--topic", "orders", ...options, "null"], {
    env: { TAGWIRE_URL: url },
  });
  expect(JSON.parse(out)).toEqual({ id: "o-1", state: "queued" });
  expect(requests[0]?.body).toEqual({
    target: { topic: "orders" },
    event: "order.shipped",
    id: "o-1",
    priority: "high",
    ttlSeconds: 60,
    delaySeconds: 5,
    data: null,
  });
});

test("the token is TAGWIRE_TOKEN, or else one for the user dev that may do everything", async () => {
  const { url, requests } = await httpPeer(accepting);
  await tagwire(["send", "--everyone", "1"], { env: { TAGWIRE_URL: url, TAGWIRE_TOKEN: "mine" } });
  await tagwire(["send", "--everyone", "1"], { env: { TAGWIRE_URL: url } });
  const [own, minted] = requests.map(({ headers }) => headers.authorization?.replace("Bearer ", "") ?? "");
  expect(own).toBe("mine");
  expect(decodeJwt(minted ?? "")).toMatchObject({
    sub: "dev",
    tagwire: { subscribe: ["*"], publish: ["*"], admin: true },
  });
});

test("a router below a path, as API Gateway's stages are, gets its posts there", async () => {
  const { url, requests } = await httpPeer(accepting);
  await tagwire(["send", "--everyone", "1"], { env: { TAGWIRE_URL: `${url}/prod` } });
  expect(requests[0]?.path).toBe("/prod/v1/messages");
});

test("standard input is a stream: one message a line, up to a hundred in a request", async () => {
  const { url, requests } = await httpPeer(accepting);
  const done = await tagwire(["send", "--topic", "orders"], {
    env: { TAGWIRE_URL: url },
    stdin: `${jsonLines(250)}\n\n`,
  });
  expect(done).toEqual({ code: 0, out: "queued 250\n", err: "" });
  const bodies = requests.map(({ body }) => body as { data: unknown; target: unknown }[]);
  expect(bodies.map((body) => body.length)).toEqual([100, 100, 50]);
  expect(bodies.flat().map(({ data }) => data)).toEqual(Array.from({ length: 250 }, (_, n) => ({ n })));
});

test("a request never holds more than 1 MiB", async () => {
  const { url, requests } = await httpPeer(accepting);
  const line = `${JSON.stringify("é".repeat(60_000))}\n`;
  const { code } = await tagwire(["send", "--topic", "orders"], {
    env: { TAGWIRE_URL: url },
    stdin: line.repeat(20),
  });
  expect(code).toBe(0);
  expect(requests.length).toBeGreaterThan(2);
  for (const { headers } of requests)
    expect(Number(headers["content-length"])).toBeLessThanOrEqual(1_048_576);
});

test("a hundred lines with a long target fill a request to 1 MiB and not beyond it", async () => {
  const { url, requests } = await httpPeer(accepting);
  const tags = Array.from({ length: 20 }, (_, i) => `a${i}:${"x".repeat(120)}`).join(" ");
  const line = `${JSON.stringify("x".repeat(8_000))}\n`;
  const { code, out } = await tagwire(["send", "--tags", tags], {
    env: { TAGWIRE_URL: url },
    stdin: line.repeat(200),
  });
  expect({ code, out }).toEqual({ code: 0, out: "queued 200\n" });
  for (const { headers } of requests)
    expect(Number(headers["content-length"])).toBeLessThanOrEqual(1_048_576);
  expect(requests.length).toBeLessThanOrEqual(5);
});

test("a line goes out when it comes, not when a hundred are there", async () => {
  const { url } = await httpPeer(accepting);
  const stdin = new PassThrough();
  const running = start(["send", "--json", "--topic", "orders"], { env: { TAGWIRE_URL: url }, stdin });
  stdin.write("1\n");
  await running.printed('"queued"');
  stdin.end("2\n");
  expect((await running.finished).out.trim().split("\n")).toHaveLength(2);
});

test("bad lines are named, the others are sent, and the command fails", async () => {
  const { url, requests } = await httpPeer(accepting);
  const done = await tagwire(["send", "--topic", "orders"], {
    env: { TAGWIRE_URL: url },
    stdin: '1\n\nnot json\n"bad"\n2\n',
  });
  expect(done).toEqual({
    code: 1,
    out: "queued 2\n",
    err: [
      "line 3: the text is not JSON",
      "line 4: LANE_FULL: the lane is full",
      "tagwire: 2 of 4 messages were not queued\n",
    ].join("\n"),
  });
  expect(requests[0]?.body).toMatchObject([{ data: 1 }, { data: "bad" }, { data: 2 }]);
});

test("an array of which nothing was queued still names each line", async () => {
  const { url } = await httpPeer((request) => ({ ...accepting(request), status: 429 }));
  const done = await tagwire(["send", "--topic", "a"], { env: { TAGWIRE_URL: url }, stdin: '"bad"\n' });
  expect(done.err).toBe("line 1: LANE_FULL: the lane is full\ntagwire: 1 of 1 messages were not queued\n");
});

test("a router that goes away ends the command although more input could come", async () => {
  const stdin = new PassThrough();
  stdin.write("1\n");
  const { code, err } = await tagwire(["send", "--topic", "a"], {
    env: { TAGWIRE_URL: "http://127.0.0.1:9" },
    stdin,
  });
  expect(code).toBe(1);
  expect(err).toContain("cannot reach http://127.0.0.1:9");
});

test("a problem document becomes one line with every bad field", async () => {
  const errors = [
    { pointer: "/event", detail: "must not be empty" },
    { pointer: "/x", detail: "is not a known field" },
  ];
  const body = problem({ code: "MESSAGE_INVALID", detail: "/event must not be empty", errors });
  const { url } = await httpPeer(() => ({ status: 400, body }));
  const { code, err } = await tagwire(["send", "--everyone", "1"], { env: { TAGWIRE_URL: url } });
  expect({ code, err }).toEqual({
    code: 1,
    err: "tagwire: MESSAGE_INVALID: /event must not be empty (/x is not a known field)\n",
  });
});

test("an answer that is no problem document is told by its status, and a 401 says what to set", async () => {
  const { url } = await httpPeer(() => ({ status: 401 }));
  const { err } = await tagwire(["send", "--everyone", "1"], { env: { TAGWIRE_URL: url } });
  expect(err).toMatch(/^tagwire: the router answered 401; set TAGWIRE_TOKEN, or TAGWIRE_SECRET/);
});

test.each([
  { why: "there is no target", argv: ["1"], says: "exactly one of" },
  { why: "there are two targets", argv: ["--topic", "a", "--everyone", "1"], says: "exactly one of" },
  { why: "the data is no JSON", argv: ["--topic", "a", "hello"], says: "the data must be JSON" },
  { why: "the tag expression is bad", argv: ["--tags", "vip", "1"], says: "must be a tag" },
  {
    why: "the priority is unknown",
    argv: ["--topic", "a", "--priority", "top", "1"],
    says: "high, normal, low",
  },
  { why: "an id would name many", argv: ["--topic", "a", "--id", "x"], says: "--id names one message" },
  { why: "the option is unknown", argv: ["--topics", "a", "1"], says: "unknown option" },
])("nothing is posted when $why", async ({ argv, says }) => {
  const { url, requests } = await httpPeer(accepting);
  const { code, out, err } = await tagwire(["send", ...argv], { env: { TAGWIRE_URL: url } });
  expect({ code, out, requests }).toEqual({ code: 2, out: "", requests: [] });
  expect(err).toMatch(/^tagwire: /);
  expect(err).toContain(says);
});

test("an address that is none is named with its variable", async () => {
  const { err } = await tagwire(["send", "--everyone", "1"], { env: { TAGWIRE_URL: "localhost:3000" } });
  expect(err).toBe(
    "tagwire: --url or TAGWIRE_URL must be an address that starts with http:// or https://, got localhost:3000\n",
  );
});
