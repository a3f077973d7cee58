import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { problem } from "../../shared/protocol/errors.ts";
import { tagwire } from "../support/command.ts";
import { httpPeer, socketPeer } from "../support/peer.ts";

const NOBODY = { TAGWIRE_URL: "http://127.0.0.1:1" };

test.each([
  ["receipt", ""],
  ["cancel", ""],
  ["dead-letters", "show", ""],
  ["backup", ""],
  ["disconnect", "--user", ""],
  ["disconnect", "--connection", ""],
  ["dead-letters", "purge", "--reason", ""],
  ["dead-letters", "list", "--id", ""],
  ["token", "--user", "ann", "--claim", ""],
  ["dead-letters", "purge", "--yes", "--queue", ""],
  ["receipt", "m-1", "--url", ""],
  ["receipt", "m-1", "--token", ""],
  ["listen", "--socket-url", ""],
  ["export", "--data", ""],
  ["doctor", "--region", ""],
])("an empty variable of a shell is told before anything is sent: %s %s %s", async (...argv) => {
  const done = await tagwire(argv, { env: NOBODY });
  expect(done).toMatchObject({ code: 2, out: "" });
  expect(done.err).toMatch(/^tagwire: .* It must not be empty\.\n$/);
});

test.each([
  "--topic",
  "--user",
  "--connection",
  "--tags",
])("a message has one target: a second %s is refused, and not sent in its place", async (target) => {
  const done = await tagwire(["send", target, "a:b", target, "c:d", "1"], { env: NOBODY });
  expect(done).toMatchObject({ code: 2, out: "" });
  expect(done.err).toMatch(/It must be given once\.\n$/);
});

test.each([
  ["disconnect", "--user", "ann", "--user", "bob"],
  ["disconnect", "--connection", "a=", "--connection", "b="],
  ["dead-letters", "purge", "--id", "a", "--id", "b"],
  ["dead-letters", "redrive", "--producer", "ann", "--producer", "bob"],
  ["dead-letters", "list", "--target", "topic:a", "--target", "topic:b"],
])("what is done for one is refused for two, and not done for the last in silence: %s %s", async (...argv) => {
  const done = await tagwire(argv, { env: NOBODY });
  expect(done).toMatchObject({ code: 2, out: "" });
  expect(done.err).toMatch(/It must be given once\.\n$/);
});

test.each(["0", "601", "999999999", "x"])("listen --ping %s is refused", async (seconds) => {
  const done = await tagwire(["listen", "--ping", seconds], { env: NOBODY });
  expect(done).toMatchObject({ code: 2, out: "" });
  expect(done.err).toContain("It must be a whole number of 1-600.");
});

test.each([
  ["--port", "abc", "It must be a whole number of 0-65535."],
  ["--port", "65536", "It must be a whole number of 0-65535."],
  ["--data", "", "It must not be empty."],
  ["--host", "", "It must not be empty."],
])("start %s %j starts nothing", async (option, value, why) => {
  const done = await tagwire(["start", option, value]);
  expect(done).toMatchObject({ code: 2, out: "" });
  expect(done.err).toContain(why);
});

test("a token that would be over at once is not made", async () => {
  const done = await tagwire(["token", "--user", "ann", "--ttl", "0"]);
  expect(done).toMatchObject({ code: 2, out: "" });
  expect(done.err).toContain("It must be a whole number of 1-999999999.");
});

test.each([
  ["listen", "--topic", "a"],
  ["load", "--sockets", "1", "--topics", "1"],
  ["send", "--topic", "a", "1"],
  ["backup", "file.db"],
])("what cannot be a token is told, and not printed: %s", async (...argv) => {
  for (const token of ["secret token", "secrét", "secret\ntoken"]) {
    const { code, out, err } = await tagwire(argv, { env: { ...NOBODY, TAGWIRE_TOKEN: token } });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^tagwire: --token or TAGWIRE_TOKEN .*\n$/);
    expect(err).not.toContain("secr");
  }
});

test("a token that was read from a file with line ends of Windows is as good as without", async () => {
  const peer = await socketPeer({ refuse: 404 });
  const { err } = await tagwire(["listen"], { env: { TAGWIRE_URL: peer.url, TAGWIRE_TOKEN: "a.b.c\r\n" } });
  expect(err).toBe("tagwire: the router refused the connection with 404\n");
});

test("an address with a password is refused, and the password not printed", async () => {
  const done = await tagwire(["history", "a"], { env: { TAGWIRE_URL: "http://ann:secret@127.0.0.1:1" } });
  expect(done).toMatchObject({ code: 2, out: "" });
  expect(done.err).toMatch(/^tagwire: --url or TAGWIRE_URL must have no user and password/);
  expect(done.err).not.toContain("secret");
});

test("the fragment of a WebSocket's address means nothing", async () => {
  const peer = await socketPeer({ refuse: 404 });
  const env = { TAGWIRE_SOCKET_URL: `${peer.url.replace("http", "ws")}/#here` };
  expect((await tagwire(["listen"], { env })).err).toBe(
    "tagwire: the router refused the connection with 404\n",
  );
});

test("a refused connection is told with the code of its refusal", async () => {
  const refusal = problem({ code: "TOKEN_EXPIRED", detail: "the token has expired" });
  const { url } = await httpPeer(() => ({ status: 401, body: refusal }));
  const { err } = await tagwire(["listen"], { env: { TAGWIRE_URL: url } });
  expect(err).toMatch(/^tagwire: TOKEN_EXPIRED: the token has expired; set TAGWIRE_TOKEN/);
  const load = await tagwire(["load", "--sockets", "1", "--topics", "1"], { env: { TAGWIRE_URL: url } });
  expect(load.err).toMatch(
    /^tagwire: no socket opened: TOKEN_EXPIRED: the token has expired; set TAGWIRE_TOKEN/,
  );
});

test("load says where nobody answers, and what to do", async () => {
  const { err } = await tagwire(["load", "--sockets", "1", "--topics", "1"], { env: NOBODY });
  expect(err).toMatch(
    /^tagwire: no socket opened: cannot reach ws:\/\/127\.0\.0\.1:1: ECONNREFUSED; start one there/,
  );
});

test.each([
  { body: undefined },
  { body: {} },
  { body: null },
])("history of an address that is no router's fails: $body", async ({ body }) => {
  const { url } = await httpPeer(() => ({ status: 200, body }));
  const done = await tagwire(["history", "orders"], { env: { TAGWIRE_URL: url } });
  expect(done).toEqual({
    code: 1,
    out: "",
    err: "tagwire: the router's response has no messages; check that TAGWIRE_URL names a router\n",
  });
});

test("an answer of something else than a router says what to check", async () => {
  const { url } = await httpPeer(() => ({ status: 200, body: "hello" }));
  const { err } = await tagwire(["send", "--topic", "a", "1"], { env: { TAGWIRE_URL: url } });
  expect(err).toBe("tagwire: the router answered 200; check that TAGWIRE_URL names a router\n");
});

test("what a shell of Windows puts before the first line of a file is no part of it", async () => {
  const { url, requests } = await httpPeer(() => ({ status: 202, body: [{ id: "m-1", state: "queued" }] }));
  const done = await tagwire(["send", "--topic", "a"], { env: { TAGWIRE_URL: url }, stdin: "\u{feff}1\r\n" });
  expect(done).toEqual({ code: 0, out: "queued 1\n", err: "" });
  expect(requests[0]?.body).toMatchObject([{ data: 1 }]);
});

test("a stream that breaks off says which lines are in doubt, and how many were queued", async () => {
  let asked = 0;
  const { url } = await httpPeer(({ body }) => {
    asked += 1;
    const messages = body as readonly { id: string }[];
    return asked === 1
      ? { status: 202, body: messages.map(({ id }) => ({ id, state: "queued" })) }
      : { status: 404 };
  });
  const stdin = `${Array.from({ length: 150 }, (_, n) => n).join("\n")}\n`;
  const { code, err } = await tagwire(["send", "--topic", "a"], { env: { TAGWIRE_URL: url }, stdin });
  expect(code).toBe(1);
  expect(err).toBe(
    "tagwire: the router answered 404; check that TAGWIRE_URL names a router (perhaps not queued: lines 101-150; queued for sure: 100)\n",
  );
});

test("dead letters of an address that is no router's are not called unreachable", async () => {
  const page = createServer((_request, response) => void response.end("<html></html>"));
  page.listen(0, "127.0.0.1");
  await once(page, "listening");
  onTestFinished(() => void page.close());
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  const { code, err } = await tagwire(["dead-letters", "list"], { env: { TAGWIRE_URL: url } });
  expect(code).toBe(1);
  expect(err).toMatch(/^tagwire: http:\S+ is no router on one machine; name the dead-letter queue/);
});
