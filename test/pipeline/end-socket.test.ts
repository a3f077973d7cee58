import { expect, test } from "vitest";
import { endSocket } from "../../shared/pipeline/socket/end-socket.ts";
import type { SendResult } from "../../shared/ports.ts";
import { refuse } from "../../shared/protocol/errors.ts";
import { errorFrame, type ServerFrame } from "../../shared/protocol/frame.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { memorySockets } from "../../testing/memory/sockets.ts";

const ID = "c1=" as ConnectionId;
const error = (code: "TOKEN_EXPIRED" | "CONNECTION_UNKNOWN" | "TOKEN_INVALID" | "SUPERSEDED"): ServerFrame =>
  errorFrame(refuse(code, "why").refusal, 1);

const opened = () => {
  const sockets = memorySockets();
  sockets.open(ID);
  const isOpen = async () => (await sockets.send(ID, Buffer.from("probe"))).kind === "sent";
  return { sockets, isOpen };
};

test.each([
  "TOKEN_EXPIRED",
  "CONNECTION_UNKNOWN",
] as const)("a client that gets %s has it, and then its socket is closed", async (code) => {
  const { sockets, isOpen } = opened();
  expect(await endSocket({ sockets }, ID, error(code))).toBeUndefined();
  expect(sockets.frames(ID).map((text) => JSON.parse(text))).toEqual([error(code)]);
  expect(await isOpen()).toBe(false);
});

test.each<{ reply: ServerFrame }>([
  { reply: error("TOKEN_INVALID") },
  { reply: error("SUPERSEDED") },
  { reply: { type: "pong", connection: ID } },
])("any other reply is returned as it is, and the socket stays open: $reply", async ({ reply }) => {
  const { sockets, isOpen } = opened();
  expect(await endSocket({ sockets }, ID, reply)).toBe(reply);
  expect(sockets.frames(ID)).toEqual([]);
  expect(await isOpen()).toBe(true);
});

test.each<SendResult>([
  { kind: "throttled", reason: "429" },
  { kind: "unavailable", reason: "503" },
  { kind: "refused", reason: "413" },
])("if the reply cannot be sent ($kind) it is returned, and the socket closes at the next frame", async (fault) => {
  const { sockets, isOpen } = opened();
  sockets.fail(ID, fault);
  expect(await endSocket({ sockets }, ID, error("TOKEN_EXPIRED"))).toEqual(error("TOKEN_EXPIRED"));
  expect(await isOpen()).toBe(true);
  expect(await endSocket({ sockets }, ID, error("TOKEN_EXPIRED"))).toBeUndefined();
  expect(await isOpen()).toBe(false);
});

test("if the close fails the client has been told, and its next frame closes the socket", async () => {
  const { sockets, isOpen } = opened();
  sockets.failClose(ID, { kind: "unavailable", reason: "503" });
  expect(await endSocket({ sockets }, ID, error("TOKEN_EXPIRED"))).toBeUndefined();
  expect(await isOpen()).toBe(true);
  expect(await endSocket({ sockets }, ID, error("TOKEN_EXPIRED"))).toBeUndefined();
  expect(await isOpen()).toBe(false);
});

test("a socket that is closed already needs nothing", async () => {
  expect(await endSocket({ sockets: memorySockets() }, ID, error("TOKEN_EXPIRED"))).toBeUndefined();
});
