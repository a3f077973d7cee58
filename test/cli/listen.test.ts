import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { start, tagwire } from "../support/command.ts";
import { socketPeer } from "../support/peer.ts";

const send = (socket: WebSocket, frame: object) => socket.send(JSON.stringify(frame));

const MESSAGE = { type: "message", id: "o-1", target: { topic: "orders" }, data: { total: 1 }, time: "now" };

/** A listener whose subscribe frame has been answered. */
async function listening(argv: readonly string[] = []) {
  const peer = await socketPeer();
  const running = start(["listen", "--topic", "orders", ...argv], { env: { TAGWIRE_URL: peer.url } });
  const { protocols } = await peer.opened();
  const { socket, frame } = await peer.next();
  send(socket, { ...frame, type: "subscribed" });
  await running.printed("listening at");
  return { peer, running, socket, frame, protocols };
}

test("listen subscribes, prints each message on a line, and ends well on SIGINT", async () => {
  const { peer, running, socket, frame } = await listening(["--topic", "bills"]);
  expect(frame).toMatchObject({ type: "subscribe", topics: ["orders", "bills"] });
  send(socket, MESSAGE);
  await running.printed('"o-1"');
  running.interrupt();
  expect(await peer.closed()).toBe(1000);
  expect(await running.finished).toEqual({
    code: 0,
    out: `${JSON.stringify(MESSAGE)}\n`,
    err: `listening at ${peer.url.replace("http", "ws")} orders bills\n`,
  });
});

test("the token travels as a sub-protocol, for the user that was named", async () => {
  const { protocols, running } = await listening(["--user", "ann"]);
  const [protocol, token] = protocols.split(/,\s*/);
  expect(protocol).toBe("tagwire.v1");
  expect(decodeJwt((token ?? "").replace("token.", ""))).toMatchObject({ sub: "ann" });
  running.interrupt();
  expect((await running.finished).code).toBe(0);
});

test("more topics than a frame may name are asked for in several", async () => {
  const peer = await socketPeer();
  const topics = Array.from({ length: 51 }, (_, i) => `t${i}`);
  const running = start(["listen", ...topics.flatMap((topic) => ["--topic", topic])], {
    env: { TAGWIRE_URL: peer.url },
  });
  const [first, second] = [await peer.next(), await peer.next()];
  expect([first, second].flatMap(({ frame }) => frame.topics)).toEqual(topics);
  send(first.socket, { ...first.frame, type: "subscribed" });
  send(first.socket, { ...second.frame, type: "subscribed" });
  await running.printed("listening at");
  running.interrupt();
  expect((await running.finished).code).toBe(0);
});

test("a cut connection is opened again, with the same topics", async () => {
  const { peer, running, socket } = await listening();
  socket.close(1001, "Going away");
  const again = await peer.next();
  expect(again.frame).toMatchObject({ type: "subscribe", topics: ["orders"] });
  send(again.socket, { ...again.frame, type: "subscribed" });
  send(again.socket, MESSAGE);
  await running.printed('"o-1"');
  running.interrupt();
  const { code, err } = await running.finished;
  expect(code).toBe(0);
  expect(err).toContain("the connection was closed with 1001 Going away; connecting again");
});

test("pings keep the connection from being cut as idle", async () => {
  const { peer, running } = await listening(["--ping", "1"]);
  for (const _ of [1, 2]) {
    const { socket, frame } = await peer.next();
    expect(frame).toEqual({ type: "ping" });
    send(socket, { type: "pong" });
  }
  running.interrupt();
  expect((await running.finished).code).toBe(0);
});

test("a connection that answers no ping is given up and opened again", async () => {
  const { peer, running } = await listening(["--ping", "1"]);
  expect((await peer.next()).frame).toEqual({ type: "ping" });
  expect((await peer.next()).frame).toMatchObject({ type: "subscribe" });
  running.interrupt();
  expect((await running.finished).code).toBe(0);
});

test("a topic outside the grant ends the command with the reason", async () => {
  const peer = await socketPeer();
  const running = start(["listen", "--topic", "secret"], { env: { TAGWIRE_URL: peer.url } });
  const { socket, frame } = await peer.next();
  const refused = [{ topic: "secret", code: "TOPIC_FORBIDDEN", detail: "the token does not grant it" }];
  send(socket, { type: "subscribed", topics: [], refused, ref: frame.ref });
  expect(await running.finished).toEqual({
    code: 1,
    out: "",
    err: "tagwire: TOPIC_FORBIDDEN: the token does not grant it (secret)\n",
  });
});

test("a refused connection is not tried again", async () => {
  const peer = await socketPeer({ refuse: 401 });
  const { code, err } = await tagwire(["listen"], { env: { TAGWIRE_URL: peer.url } });
  expect(code).toBe(1);
  expect(err).toMatch(/^tagwire: the router refused the connection with 401; set TAGWIRE_TOKEN/);
});

test("a deployment without the address of its socket is told what is missing", async () => {
  const env = { TAGWIRE_URL: "https://abc.execute-api.us-east-1.amazonaws.com", TAGWIRE_SOCKET_URL: "" };
  expect(await tagwire(["listen"], { env })).toMatchObject({
    code: 1,
    err: "tagwire: TAGWIRE_SOCKET_URL is missing: set it to the SocketUrl of the router at abc.execute-api.us-east-1.amazonaws.com\n",
  });
});

test("a router that is not there is named at once", async () => {
  const { code, err } = await tagwire(["listen"], { env: { TAGWIRE_SOCKET_URL: "ws://127.0.0.1:9" } });
  expect(code).toBe(1);
  expect(err).toMatch(/^tagwire: cannot reach ws:\/\/127\.0\.0\.1:9: /);
});

const numbered = (seq: number, data: unknown = seq) => ({
  type: "message",
  id: `m-${seq}`,
  topic: "orders",
  data,
  seq,
});

test("listen begins where it is told, prints what it missed, and asks for what did not fit", async () => {
  const peer = await socketPeer();
  const argv = ["listen", "--since", "orders=17", "--topic", "bills", "--last", "2"];
  const running = start(argv, { env: { TAGWIRE_URL: peer.url } });
  const { socket, frame } = await peer.next();
  expect(frame).toEqual({
    type: "subscribe",
    topics: ["bills", "orders"],
    since: { orders: 17 },
    last: 2,
    ref: 0,
  });
  send(socket, {
    ...{ type: "subscribed", topics: ["bills", "orders"], ref: 0, messages: [numbered(18)] },
    ...{ positions: { orders: 18, bills: 5 }, recovered: { orders: true }, more: { orders: true } },
  });
  expect((await peer.next()).frame).toEqual({ type: "history", topic: "orders", since: 18 });
  send(socket, {
    type: "history",
    topic: "orders",
    messages: [numbered(19)],
    position: 19,
    more: false,
    gap: true,
  });
  await running.printed('"m-19"');
  send(socket, numbered(19));
  send(socket, numbered(20));
  await running.printed('"m-20"');
  running.interrupt();
  const { out, err } = await running.finished;
  expect(out).toBe([18, 19, 20].map((seq) => `${JSON.stringify(numbered(seq))}\n`).join(""));
  expect(err).toContain("messages of orders were missed, and are not kept any more");
});

test("after a cut, listen asks for what it missed, and prints nothing twice", async () => {
  const { peer, running, socket } = await listening();
  send(socket, { type: "subscribed", topics: ["orders"], positions: { orders: 3 }, ref: 9 });
  for (const seq of [4, 6]) send(socket, numbered(seq));
  await running.printed('"m-6"');
  socket.close(1001);
  const again = await peer.next();
  expect(again.frame).toMatchObject({ type: "subscribe", topics: ["orders"], since: { orders: 4 } });
  const messages = [5, 6, 7].map((seq) => numbered(seq));
  send(again.socket, { ...again.frame, type: "subscribed", messages, positions: { orders: 7 } });
  await running.printed('"m-7"');
  running.interrupt();
  const { out } = await running.finished;
  expect([...out.matchAll(/"m-(\d)"/g)].map(([, seq]) => seq)).toEqual(["4", "6", "5", "7"]);
});
