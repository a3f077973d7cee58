import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { command } from "../support/command.ts";
import { httpPeer, socketPeer } from "../support/peer.ts";

test("the command runs from any folder", async () => {
  const { child, finished } = command(["token", "--user", "ann"]);
  child.stdin.end();
  const [code, out] = await finished;
  expect(code).toBe(0);
  expect(decodeJwt(out.trim())).toMatchObject({ sub: "ann" });
});

test("SIGINT closes the listener's connection and exits with 0", async () => {
  const peer = await socketPeer();
  const { child, finished } = command(["listen", "--topic", "orders"], { TAGWIRE_URL: peer.url });
  const { socket, frame } = await peer.next();
  socket.send(JSON.stringify({ ...frame, type: "subscribed" }));
  child.kill("SIGINT");
  expect(await peer.closed()).toBe(1000);
  expect((await finished)[0]).toBe(0);
});

test("a failure ends the process although standard input stays open", async () => {
  const { url } = await httpPeer(() => ({ status: 503 }));
  const { child, finished } = command(["send", "--topic", "orders"], { TAGWIRE_URL: url });
  child.stdin.write("1\n");
  expect(await finished).toEqual([1, "", "tagwire: the router answered 503\n"]);
});
