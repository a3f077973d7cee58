import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
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
  const where = "(perhaps not queued: line 1; queued for sure: 0)";
  expect(await finished).toEqual([1, "", `tagwire: the router answered 503 ${where}\n`]);
});

test.skipIf(!existsSync("/dev/full"))(
  "output that cannot be written is told in a line, and fails the command",
  async () => {
    const { child, finished } = command(["plan"], {}, { stdout: openSync("/dev/full", "w") });
    child.stdin.end();
    const [code, , err] = await finished;
    expect({ code, err }).toEqual({
      code: 1,
      err: "tagwire: standard output cannot be written: ENOSPC: no space left on device, write\n",
    });
  },
);

test.skipIf(!existsSync("/dev/full"))("notes that cannot be written fail nothing", async () => {
  const peer = await httpPeer(() => ({
    status: 200,
    body: { topic: "orders", messages: [{ seq: 1 }], position: 1 },
  }));
  const { child, finished } = command(
    ["history", "orders"],
    { TAGWIRE_URL: peer.url },
    { stderr: openSync("/dev/full", "w") },
  );
  child.stdin.end();
  expect(await finished).toEqual([0, '{"seq":1}\n', ""]);
});

test("dead letters are released although nobody reads the list to its end", async () => {
  let entry = 0;
  const letter = () => ({ entryId: `${++entry}`, receiptHandle: `h-${entry}`, body: "no JSON", sentAt: 1 });
  const peer = await httpPeer(({ path }) => {
    if (path === "/health") return { status: 200, body: { deadLetters: {} } };
    const isMore = path.endsWith("/receive") && entry < 10_000;
    return { status: 200, body: isMore ? Array.from({ length: 10 }, letter) : [] };
  });
  const { child, finished } = command(["dead-letters", "list"], { TAGWIRE_URL: peer.url });
  child.stdin.end();
  child.stdout.once("data", () => child.stdout.destroy());
  await expect(finished).rejects.toThrow("Premature close");
  if (child.exitCode === null) await once(child, "exit");
  expect(child.exitCode).toBe(0);
  const released = peer.requests.filter(({ path }) => path.endsWith("/release"));
  expect(released.flatMap(({ body }) => (body as { deadLetters: object[] }).deadLetters)).toHaveLength(entry);
});
