import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { connect as connectClient } from "../../client/index.ts";
import { start } from "../../local/start.ts";
import { temporary } from "../engine/store/temporary.ts";
import { tokenFor } from "../support/client.ts";
import { tagwire } from "../support/command.ts";
import { post, receipt } from "../support/http.ts";
import { patient } from "../support/patient.ts";

const settings = patient({ streams: [{ topics: "kept/*", seconds: 3_600, count: 10_000 }] });

async function run(data?: string, port = 0) {
  const router = await start({
    ...(data === undefined ? {} : { data }),
    port,
    settings,
    reconnectSeconds: 1,
  });
  onTestFinished(async () => {
    await router.stop(0);
  });
  return router;
}

const backUp = (url: string, file: string, env = {}) =>
  tagwire(["backup", file], { env: { TAGWIRE_URL: url, ...env } });

test("a backup that is taken under load and restored to an empty folder has all that was accepted before", async () => {
  const data = temporary();
  const router = await run(data);
  const port = Number(new URL(router.url).port);
  const got: unknown[] = [];
  const client = connectClient({ url: router.url, token: () => tokenFor("anna"), WebSocket });
  onTestFinished(() => client.close());
  client.subscribe("kept/orders", ({ data: n }) => got.push(n));
  await new Promise<void>((resolve) => {
    client.on("state", ({ state }) => state === "connected" && resolve());
  });

  const accepted: string[] = [];
  let [isOver, next] = [false, 0];
  const work = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const n = next++;
      const delay = n % 5 === 0 ? { delaySeconds: 2 } : {};
      const { id, status } = await post(router, { target: { topic: "kept/orders" }, data: n, ...delay });
      if (status === 202) accepted.push(id);
    }
  });
  await expect.poll(() => accepted.length).toBeGreaterThan(40);
  const before = [...accepted];
  const file = join(temporary(), "backup.db");
  expect(await backUp(router.url, file)).toMatchObject({
    code: 0,
    err: "",
    out: expect.stringMatching(/^wrote \d+ bytes to /),
  });
  expect(readdirSync(data).filter((name) => name.includes("backup"))).toEqual([]);
  await expect.poll(() => accepted.length).toBeGreaterThan(before.length + 40);
  isOver = true;
  await Promise.all(work);
  await router.stop(0);

  const folder = join(temporary(), "data");
  mkdirSync(folder);
  copyFileSync(file, join(folder, "store.db"));
  const restored = await run(folder, port);
  for (const id of before)
    await expect
      .poll(async () => (await receipt(restored, id))["state"])
      .toMatch(/^(delivered|no-recipients)$/);

  // The client is further than the stream, and gets what comes all the same.
  await expect.poll(() => client.state).toBe("connected");
  const { id } = await post(restored, { target: { topic: "kept/orders" }, data: "after" });
  await expect.poll(() => receipt(restored, id)).toMatchObject({ state: "delivered" });
  await expect.poll(() => got).toContain("after");
});

test("a backup is refused in one line to whom it is not due, where there is none, and over a file", async () => {
  const router = await run(temporary());
  const file = join(temporary(), "backup.db");
  const token = await tokenFor("anna");
  expect(await backUp(router.url, file, { TAGWIRE_TOKEN: token })).toMatchObject({
    ...{ code: 1, err: "tagwire: RECEIPT_FORBIDDEN: a backup is for tokens with tagwire.admin\n" },
  });
  const { status, headers } = await fetch(`${router.url}/v1/backup`);
  expect([status, headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  const memory = await run();
  expect(await backUp(memory.url, file)).toMatchObject({
    ...{
      code: 1,
      err: expect.stringMatching(/^tagwire: ROUTE_NOT_FOUND: there is nothing to back up: .* in memory\n$/),
    },
  });
  expect(await backUp("http://127.0.0.1:9", file)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^tagwire: cannot reach /),
  });
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, "mine");
  expect(await backUp(router.url, file)).toMatchObject({
    ...{ code: 2, err: `tagwire: ${file} is there already; name a new file\n` },
  });
});
