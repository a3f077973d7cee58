import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { problem } from "../../shared/protocol/errors.ts";
import { tagwire } from "../support/command.ts";
import { httpPeer } from "../support/peer.ts";

const message = (seq: number) => ({ type: "message", id: `m-${seq}`, topic: "orders/42", data: seq, seq });
const page = (more: object) => ({
  topic: "orders/42",
  messages: [],
  position: 3,
  more: false,
  gap: false,
  ...more,
});

/** A router that answers with these pages, one after the other. */
async function router(...pages: object[]) {
  const left = [...pages];
  const peer = await httpPeer(() => ({ status: 200, body: left.shift() ?? page({}) }));
  return { ...peer, env: { TAGWIRE_URL: peer.url } };
}

test("history prints the last messages, one a line, and where that is", async () => {
  const { env, requests } = await router(page({ messages: [message(2), message(3)] }));
  expect(await tagwire(["history", "orders/42"], { env })).toEqual({
    code: 0,
    out: `${JSON.stringify(message(2))}\n${JSON.stringify(message(3))}\n`,
    err: "position 3\n",
  });
  expect(requests).toMatchObject([{ method: "GET", path: "/v1/history?topic=orders%2F42&last=20" }]);
});

test("history follows every page from a position on, and says what is lost", async () => {
  const { env, requests } = await router(
    page({ messages: [message(7)], position: 7, more: true, gap: true }),
    page({ messages: [message(8)], position: 8 }),
  );
  const { out, err } = await tagwire(["history", "orders/42", "--since", "5"], { env });
  expect(out).toBe(`${JSON.stringify(message(7))}\n${JSON.stringify(message(8))}\n`);
  expect(err).toBe("messages of orders/42 were missed, and are not kept any more\nposition 8\n");
  expect(requests.map(({ path }) => path)).toEqual([
    "/v1/history?topic=orders%2F42&since=5",
    "/v1/history?topic=orders%2F42&since=7",
  ]);
});

test("history --json prints each page as the router gave it, and nothing else", async () => {
  const body = page({ messages: [message(1)], gap: true });
  const { env } = await router(body);
  expect(await tagwire(["history", "orders/42", "--last", "1", "--json"], { env })).toEqual({
    code: 0,
    out: `${JSON.stringify(body)}\n`,
    err: "",
  });
});

test("history of @user is that of the user whose token it is", async () => {
  const { env, requests } = await router({ topic: "@user", messages: [], more: false, gap: false });
  const { err } = await tagwire(["history", "@user", "--user", "ann"], { env });
  expect(err).toBe("@user keeps no stream\n");
  expect(requests).toMatchObject([{ path: "/v1/history?user=me&last=20" }]);
  const token = String(requests[0]?.headers.authorization).replace("Bearer ", "");
  expect(decodeJwt(token)).toMatchObject({ sub: "ann" });
});

test("history fails with the router's reason", async () => {
  const body = problem({ code: "TOPIC_FORBIDDEN", detail: "the token does not grant it" });
  const { url } = await httpPeer(() => ({ status: 403, body }));
  expect(await tagwire(["history", "secret"], { env: { TAGWIRE_URL: url } })).toEqual({
    code: 1,
    out: "",
    err: "tagwire: TOPIC_FORBIDDEN: the token does not grant it\n",
  });
});

test.each([
  { argv: ["--since", "x"], says: "It must be a whole number of 0-9007199254740991." },
  { argv: ["--last", "0"], says: "It must be a whole number of 1-1000." },
  { argv: ["--since", "1", "--last", "1"], says: "cannot be used with" },
])("history $argv is no command line", async ({ argv, says }) => {
  expect(await tagwire(["history", "orders", ...argv])).toMatchObject({
    code: 2,
    err: expect.stringContaining(says),
  });
});
