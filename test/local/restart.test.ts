import { expect, test } from "vitest";
import { seeded } from "../../testing/random.ts";
import { temporary } from "../engine/store/temporary.ts";
import { tokenFor } from "../support/client.ts";
import { audience } from "./crash/audience.ts";
import { judge } from "./crash/oracle.ts";
import { postOne, publish } from "./crash/publisher.ts";
import { type Notes, readEndings, readReceipts } from "./crash/receipts.ts";
import { buildRouters, freePort, startRouter } from "./crash/router.ts";
import type { Scene } from "./crash/scene.ts";

buildRouters();

const RESTARTS = 2;
/** How long the lanes of a process wait for clients, in seconds. */
const RECONNECT = 1;

test("restarts under load lose and repeat nothing, and each process ends with exit code 0", async () => {
  const port = await freePort();
  const env = { TAGWIRE_DATA: temporary(), PORT: String(port), RECONNECT_SECONDS: String(RECONNECT) };
  const scene: Scene = {
    ...{ random: seeded(1), url: `http://127.0.0.1:${port}`, token: await tokenFor("shop") },
    users: ["anna", "ben", "cleo"],
    ...{ lives: [], posted: [], isOver: false },
  };
  const start = async () => {
    const life = { opensAt: Number.POSITIVE_INFINITY, killedAt: Number.POSITIVE_INFINITY };
    scene.lives.push(life);
    const router = startRouter("child", env);
    await router.ready;
    life.opensAt = Number(/^opens (\d+)$/m.exec(router.output())?.[1]) - performance.timeOrigin;
    return { ...router, life };
  };
  let router = await start();
  const witnesses = await audience(scene);
  const notes: Notes = new Map();
  const work = Promise.all([publish(scene, 6), readReceipts(scene, notes)]);
  // What they throw is thrown again at the end.
  work.catch(() => {});
  for (let restart = 0; restart < RESTARTS; restart++) {
    const { length } = scene.posted;
    await expect.poll(() => scene.posted.length, { timeout: 60_000 }).toBeGreaterThan(length + 60);
    router.life.killedAt = performance.now();
    expect([await router.kill("SIGTERM"), router.errors()]).toEqual([0, ""]);
    router = await start();
  }
  scene.isOver = true;
  await work;
  for (const { client, user } of witnesses)
    await expect.poll(() => client.state, { timeout: 60_000, message: user }).toBe("connected");
  await readEndings(scene, notes, 60_000);
  const last = await postOne(scene, "stream");
  await readEndings(scene, notes, 60_000, [last]);
  for (const { stream, user } of witnesses)
    await expect.poll(() => stream.at(-1)?.[1], { timeout: 60_000, message: user }).toBe(last.n);
  const report = judge(scene, witnesses, notes);
  for (const { client } of witnesses) client.close();
  expect(report).toMatchObject({ twice: 0, unanswered: 0 });
  expect(report["stream"]).toBeGreaterThan(RESTARTS * 5);
  expect(await router.kill("SIGTERM")).toBe(0);
});
