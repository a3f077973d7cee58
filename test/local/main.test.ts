import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

function run(env: Record<string, string>, ...argv: readonly string[]) {
  const child = spawn(process.execPath, ["local/run.mjs", ...argv], {
    env: { ...process.env, ...env },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  return { child, ended: ended(child), out: () => out, err: () => err };
}

const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.on("close", resolve));

/** A folder that is not there yet. */
const aFolder = () => join(mkdtempSync(join(tmpdir(), "tagwire-main-")), "data");

async function ready(env: Record<string, string> = {}) {
  const router = run({ PORT: "0", TAGWIRE_DATA: aFolder(), ...env });
  while (!router.out().includes("curl") || !router.out().endsWith("\n\n")) {
    await new Promise((resolve) => router.child.stdout.once("data", resolve));
  }
  return router;
}

test.each([
  {
    json: '{"quotaName":""}',
    says: "SETTINGS_INVALID: settings.quotaName must be 1-64 of A-Z a-z 0-9 . _ -",
  },
  { json: '{"quotaName":\n x}\n', says: "TAGWIRE_SETTINGS must name a JSON file of settings" },
])("a file of wrong settings is one line and exit code 1: $says", async ({ json, says }) => {
  const file = join(mkdtempSync(join(tmpdir(), "tagwire-main-")), "settings.json");
  writeFileSync(file, json);
  const { ended, out, err } = run({ PORT: "0", TAGWIRE_DATA: aFolder(), TAGWIRE_SETTINGS: file });
  expect(await ended).toBe(1);
  expect(out()).toBe("");
  expect(err()).toMatch(/^tagwire: .+\n$/);
  expect(err()).toContain(says);
});

test("a wrong setting is one line and exit code 1", async () => {
  const { ended, out, err } = run({ PORT: "abc" });
  expect(await ended).toBe(1);
  expect([out(), err()]).toEqual(["", 'tagwire: PORT must be 0-65535, got "abc"\n']);
});

test.each([
  { argv: ["--data", ""], says: "option '--data <folder>' argument '' is invalid. It must not be empty." },
  {
    argv: ["--port", "abc"],
    says: "option '--port <number>' argument 'abc' is invalid. It must be a whole number of 0-65535.",
  },
  {
    argv: ["--memory", "--data", "here"],
    says: "option '--memory' cannot be used with option '--data <folder>'",
  },
  { argv: ["--color"], says: "unknown option '--color'" },
])("as with tagwire start, $argv starts nothing and ends it with 2", async ({ argv, says }) => {
  const { ended, out, err } = run({ PORT: "0", TAGWIRE_DATA: aFolder() }, ...argv);
  expect(await ended).toBe(2);
  expect([out(), err()]).toEqual(["", `tagwire: ${says}\n`]);
});

test("the printed curl line is accepted, a second router on the port is refused, and SIGTERM drains", async () => {
  const { child, ended, out } = await ready();
  const [, url = "", token = "", body = ""] =
    /curl -sS (\S+) -H 'authorization: Bearer (\S+)' -H 'content-type: application\/json' -d '(.+)'/.exec(
      out(),
    ) ?? [];
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  expect((await fetch(url, { method: "POST", headers, body })).status).toBe(202);
  const script = await fetch(new URL("/page/script.js", url));
  expect([script.status, script.headers.get("content-type")]).toEqual([
    200,
    "text/javascript; charset=utf-8",
  ]);

  const { port } = new URL(url);
  const second = run({ PORT: port, TAGWIRE_DATA: aFolder() });
  expect(await second.ended).toBe(1);
  expect(second.err()).toBe(`tagwire: port ${port} is taken, set PORT to another\n`);

  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(out()).toContain("stopped, nothing left in the lanes");
});
