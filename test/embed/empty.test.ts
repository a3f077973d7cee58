import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { openSocket } from "../support/socket.ts";
import { install, run } from "./support/run.ts";

/** An empty project, as someone has it who only wants to try. */
const project = mkdtempSync(join(tmpdir(), "tagwire-empty-"));
afterAll(() => rmSync(project, { recursive: true, force: true }));
beforeAll(async () => {
  await run("npm", ["init", "--yes"], project);
  await install(project, inject("tarball"));
});

/** What the files of a folder take of a disk, in megabytes of 2^20 bytes, as `du -m` counts them. */
function megabytesOf(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const blocks = entries.reduce((sum, name) => sum + lstatSync(join(folder, name)).blocks, 0);
  return (blocks * 512) / 2 ** 20;
}

test("an empty project that installs the package has at most 40 MB of node_modules", () => {
  expect(megabytesOf(join(project, "node_modules"))).toBeLessThanOrEqual(40);
});

test("npx tagwire start serves a message, and npx tagwire send posts it", async () => {
  const env = { ...process.env, PORT: "0" };
  const router = spawn("npx", ["tagwire", "start"], {
    cwd: project,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    const exit = once(router, "exit");
    router.kill();
    await exit;
  });
  const said = new Map<string, string>();
  for await (const line of createInterface(router.stdout)) {
    const [, name, value] = /^ {2}(HTTP API|WebSocket|Dev token) +(\S+)$/.exec(line) ?? [];
    if (name && value) said.set(name, value);
    if (said.size === 3) break;
  }
  const url = said.get("HTTP API")?.replace("/v1/messages", "") ?? "";
  const protocols = ["tagwire.v1", `token.${said.get("Dev token")}`];
  const socket = await openSocket(
    said.get("WebSocket") ?? "",
    protocols,
    (text) => JSON.parse(text) as object,
  );
  socket.socket.send(JSON.stringify({ type: "subscribe", topics: ["orders"] }));
  expect(await socket.next()).toMatchObject({ type: "subscribed", topics: ["orders"] });
  const argv = ["tagwire", "send", "--url", url, "--topic", "orders", '{"id":1}'];
  expect((await run("npx", argv, project)).stdout).toMatch(/^queued /);
  expect(await socket.next()).toMatchObject({ type: "message", topic: "orders", data: { id: 1 } });
  socket.socket.close();
});
