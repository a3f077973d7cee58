import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { httpPeer, socketPeer } from "../support/peer.ts";

const BIN = fileURLToPath(new URL("../../cli/bin.mjs", import.meta.url));

/** The installed command, in a folder that is not the package's. */
function command(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [BIN, ...argv], { cwd: tmpdir(), env: { ...process.env, ...env } });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const finished = Promise.all([exit, text(child.stdout), text(child.stderr)]);
  return { child, finished };
}

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
