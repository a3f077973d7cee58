import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStore } from "../../local/engine/store/store.ts";
import { start } from "../../local/start.ts";
import { temporary } from "../engine/store/temporary.ts";
import { buildRouters, startRouter } from "./crash/router.ts";

/* A store that can never be used again ends the process: whoever looks after it starts another, and that one can. */

buildRouters();

/** Lets a signal end the threads of a process. */
const ENDS_THREADS = `
  import { syncBuiltinESMExports } from "node:module";
  import threads from "node:worker_threads";
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      process.once("SIGUSR2", () => this.terminate());
    }
  };
  syncBuiltinESMExports();`;

test.skipIf(process.platform === "win32")(
  "a router whose store has lost its thread says so in one line, and ends with 1",
  async () => {
    const data = temporary();
    const router = startRouter("main", {
      ...{ TAGWIRE_DATA: data, PORT: "0" },
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ENDS_THREADS)}`,
    });
    const url = await router.ready;
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    expect(await router.kill("SIGUSR2")).toBe(1);
    expect(router.errors()).toBe(
      `tagwire: STORE_UNAVAILABLE: the store of ${data} cannot be used: its thread has ended\n`,
    );
  },
);

/** Files up to this size are looked at as a whole before the router is ready. */
const LARGE = 64 * 1024 * 1024 + 4_096;

/** A large folder with a receipt `a` that is not as it was written, and perhaps one after it. A start reads the last. */
async function damaged(...others: readonly string[]): Promise<string> {
  const folder = temporary();
  const store = await openStore({ folder });
  const row = (key: string, value: string) => ({ table: "receipts" as const, key, value, expiresAt: 4e12 });
  await store.write([row("a", "as it was written"), ...others.map((key) => row(key, "whole"))]);
  await store.close();
  const path = join(folder, "store.db");
  writeFileSync(path, readFileSync(path, "latin1").replace("as it was", "as it is "), "latin1");
  truncateSync(path, LARGE);
  return folder;
}

test("a router that finds damage once it runs ends as one does that finds it at its start", async () => {
  const folder = await damaged("b");
  const router = startRouter("main", { TAGWIRE_DATA: folder, PORT: "0" });
  await router.ready;
  expect(await router.ended).toBe(1);
  expect(router.errors()).toMatch(
    /^tagwire: STORE_DAMAGED: the data in \S+ is damaged: the row a of receipts is not as it was written\. [^\n]+\n$/,
  );
});

test.each([
  { why: "its data is damaged", others: [], options: {}, fault: { code: "STORE_DAMAGED" } },
  {
    why: "its certificate is none",
    others: ["b"],
    options: { tls: { cert: "none", key: "none" } },
    fault: { code: expect.stringContaining("PEM") },
  },
])("a start that fails since $why leaves the folder to others", async ({ others, options, fault }) => {
  const folder = await damaged(...others);
  await expect(start({ data: folder, ...options })).rejects.toMatchObject(fault);
  await (await openStore({ folder })).close();
});
