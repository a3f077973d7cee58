import { UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { REAL_HANDLERS } from "../../local/twin/lambda/handlers.ts";
import type { ErrorCode } from "../../shared/protocol/errors.ts";
import { connect, type TestSocket, tokenFor } from "../support/client.ts";
import { post } from "../support/http.ts";
import { expectProblem } from "../support/problem.ts";
import { RUNTIMES } from "../support/runtimes.ts";
import { refused } from "../support/socket.ts";
import { startUnkind } from "../support/unkind.ts";

/** The socket is open and answers. */
async function expectAlive(socket: TestSocket): Promise<void> {
  socket.send({ type: "ping", ref: "alive" });
  expect(await socket.next()).toMatchObject({ type: "pong", ref: "alive" });
}

const topics = (count: number, name = "t") => Array.from({ length: count }, (_, i) => `${name}${i}`);

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  let router: Router;
  beforeAll(async () => {
    router = await startRouter();
  });
  afterAll(() => router.stop(0));

  async function open(claims: Record<string, unknown> = {}): Promise<TestSocket> {
    const socket = await connect(router, "ann", [], claims);
    onTestFinished(() => socket.close());
    return socket;
  }

  describe("a bad frame is answered with an error, and the socket stays open:", () => {
    test.each([
      { frame: "", at: undefined },
      { frame: "hello", at: undefined },
      { frame: "{", at: undefined },
      { frame: "[".repeat(100_000), at: undefined },
      { frame: `${"[".repeat(60_000)}${"]".repeat(60_000)}`, at: ["/type"] },
      { frame: "null", at: [""] },
      { frame: "7", at: [""] },
      { frame: "[]", at: ["/type"] },
      { frame: '{"type":"publish","ref":7}', at: ["/type"], ref: 7 },
      { frame: '{"type":"subscribe","ref":"a"}', at: ["/topics"], ref: "a" },
      { frame: '{"type":"subscribe","topics":[],"ref":0}', at: ["/topics"], ref: 0 },
      { frame: '{"type":"subscribe","topics":["ok",7,null]}', at: ["/topics/1", "/topics/2"] },
      { frame: '{"type":"unsubscribe","topics":[{}],"x":1,"y":2}', at: ["/topics/0", "/x", "/y"] },
      { frame: '{"type":"ping","ref":{},"__proto__":{}}', at: ["/ref", "/__proto__"] },
      { frame: `{"type":"ping","ref":"${"x".repeat(129)}"}`, at: ["/ref"] },
      { frame: '{"type":"ping","ref":1e999}', at: ["/ref"] },
      { frame: JSON.stringify({ type: "subscribe", topics: topics(51), ref: 1 }), at: ["/topics"], ref: 1 },
    ])("$frame", async ({ frame, at, ref }) => {
      const socket = await open();
      socket.send(frame);
      const answer = (await socket.next()) as { errors?: { pointer: string }[]; ref?: unknown };
      expect(answer).toMatchObject({
        type: "error",
        code: "FRAME_INVALID",
        detail: expect.stringMatching(/./),
      });
      expect(answer.errors?.map(({ pointer }) => pointer)).toEqual(at);
      expect(answer.ref).toBe(ref);
      await expectAlive(socket);
    });

    test("a frame full of unknown fields, with an answer that a frame holds", async () => {
      const socket = await open();
      const unknown = topics(8_000, "field-");
      socket.send(JSON.stringify({ type: "ping", ...Object.fromEntries(unknown.map((name) => [name, 1])) }));
      const answer = await socket.next();
      expect(answer).toMatchObject({
        code: "FRAME_INVALID",
        detail: expect.stringContaining("and 7900 more"),
      });
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(32_768);
      await expectAlive(socket);
    });
  });

  describe("a good frame that cannot be granted", () => {
    test("adds the topics that can be, and names each other one", async () => {
      const socket = await open({ subscribe: ["orders", "news/*"] });
      socket.send({ type: "subscribe", topics: ["orders", "secret", "a b", "news"], ref: 1 });
      expect(await socket.next()).toEqual({
        type: "subscribed",
        topics: ["orders"],
        refused: [
          { topic: "secret", code: "TOPIC_FORBIDDEN", detail: "the token does not grant it" },
          { topic: "a b", code: "TOPIC_INVALID", detail: expect.stringContaining("must be a topic") },
          { topic: "news", code: "TOPIC_FORBIDDEN", detail: "the token does not grant it" },
        ],
        ref: 1,
      });
      for (const topic of ["orders", "secret", "news"])
        await post(router, { target: { topic }, data: topic });
      await router.spy.idle({ timeout: 60_000 });
      expect(await socket.next()).toMatchObject({ type: "message", topic: "orders", data: "orders" });
      expect(socket.buffered()).toEqual([]);
      await expectAlive(socket);
    });

    test("adds nothing if no topic can be added, and is no error", async () => {
      const socket = await open({ subscribe: ["news/*"] });
      socket.send({ type: "subscribe", topics: ["secret"] });
      expect(await socket.next()).toMatchObject({
        type: "subscribed",
        topics: [],
        refused: [{ topic: "secret" }],
      });
      await expectAlive(socket);
    });

    test("is refused at 200 tags, and taken again when some are given back", async () => {
      const socket = await open();
      // The connection holds everyone and its user beside its topics.
      for (const name of ["a", "b", "c"]) {
        socket.send({ type: "subscribe", topics: topics(50, name) });
        expect(await socket.next()).toMatchObject({ type: "subscribed" });
      }
      socket.send({ type: "subscribe", topics: topics(49, "d"), ref: 1 });
      expect(await socket.next()).toMatchObject({ type: "error", code: "TOO_MANY_TOPICS", ref: 1 });
      socket.send({ type: "unsubscribe", topics: topics(1, "a") });
      expect(await socket.next()).toMatchObject({ type: "unsubscribed" });
      socket.send({ type: "subscribe", topics: topics(49, "d") });
      expect(await socket.next()).toMatchObject({ type: "subscribed" });
    });
  });

  test("topics may be named twice, held already, or not held, and each is answered once", async () => {
    const socket = await open();
    for (const type of ["subscribe", "subscribe", "unsubscribe", "unsubscribe"]) {
      socket.send({ type, topics: ["twice", "twice"], ref: type });
      expect(await socket.next()).toEqual({ type: `${type}d`, topics: ["twice"], ref: type });
    }
    socket.send({ type: "subscribe", topics: ["a b", "a b"] });
    expect(await socket.next()).toMatchObject({ topics: [], refused: [{ topic: "a b" }] });
  });

  describe("a socket is refused with a problem document", () => {
    const bad: readonly { why: string; code: ErrorCode; make?: () => Promise<string> }[] = [
      { why: "there is no token", code: "TOKEN_MISSING" },
      { why: "the token is none", code: "TOKEN_INVALID", make: async () => "abc" },
      {
        why: "nobody signed the token",
        code: "TOKEN_INVALID",
        make: async () => new UnsecuredJWT({ sub: "ann" }).encode(),
      },
      {
        why: "somebody else signed the token",
        code: "TOKEN_INVALID",
        make: () => tokenFor("ann", {}, "x".repeat(32)),
      },
      {
        why: "the token has expired",
        code: "TOKEN_EXPIRED",
        make: () => tokenFor("ann", { exp: Math.floor(Date.now() / 1000) - 60 }),
      },
      { why: "the token names nobody", code: "TOKEN_INVALID", make: () => tokenFor("") },
      {
        why: "the token fixes a user",
        code: "TOKEN_INVALID",
        make: () => tokenFor("ann", { tags: ["user:bob"] }),
      },
    ];
    test.each(bad)("when $why", async ({ code, make }) => {
      const token = await make?.();
      const { socketUrl } = router;
      const ways = token
        ? [refused(`${socketUrl}/?token=${token}`), refused(socketUrl, ["tagwire.v1", `token.${token}`])]
        : [refused(socketUrl), refused(`${socketUrl}/?token=`), refused(socketUrl, ["tagwire.v1"])];
      for (const { status = 0, body } of await Promise.all(ways)) {
        expectProblem({ status, body: JSON.parse(body) }, code);
      }
    });
  });
});

test("a fault on our side is told in a frame, and printed without the token or the frame", async () => {
  const lines: string[] = [];
  const broken = await startUnkind({
    write: (line) => lines.push(line),
    handlers: {
      socket: (runtime) => {
        const env = { ...runtime.env, AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1" };
        const [good, bad] = [REAL_HANDLERS.socket(runtime), REAL_HANDLERS.socket({ ...runtime, env })];
        return (event, context) =>
          (event.requestContext.routeKey === "$default" ? bad : good)(event, context);
      },
    },
  });
  onTestFinished(async () => void (await broken.stop(0)));
  const socket = await connect(broken, "ann");
  socket.send({ type: "subscribe", topics: ["secret-topic"], ref: 5 });
  expect(await socket.next()).toEqual({
    type: "error",
    code: "TABLE_UNAVAILABLE",
    detail: "try again",
    ref: 5,
  });
  await expectAlive(socket);
  expect(lines.join()).toContain("TagwireError");
  expect(lines.join()).not.toMatch(/eyJ|secret-topic/);
});
