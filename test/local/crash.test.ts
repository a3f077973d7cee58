import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type ExpectStatic, expect, test } from "vitest";
import { seeded } from "../../testing/random.ts";
import { temporary } from "../engine/store/temporary.ts";
import { connect, tokenFor } from "../support/client.ts";
import { audience } from "./crash/audience.ts";
import { type CrashDisk, crashDisk } from "./crash/disk.ts";
import { readKept } from "./crash/history.ts";
import { judge } from "./crash/oracle.ts";
import { postOne, publish } from "./crash/publisher.ts";
import { ENDED, type Notes, readEndings, readReceipts } from "./crash/receipts.ts";
import { buildRouters, freePort, startRouter } from "./crash/router.ts";
import type { Posted, Scene } from "./crash/scene.ts";
import { judgeKept } from "./crash/stream.ts";

buildRouters();

/**
 * `KILLS=200 npx vitest run test/local/crash.test.ts` is the whole proof; SEED makes another of it. After one kill in
 * three the files are made what a power cut would have left of them; one process in three ends with a full disk.
 */
const KILLS = Number(process.env["KILLS"] ?? 3);
const CLIENTS = Number(process.env["CLIENTS"] ?? (KILLS > 20 ? 100 : 8));
const SEED = Number(process.env["SEED"] ?? 1);

/** How long the lanes of a process wait for clients at most, in seconds. Most are back after two cuts by then. */
const RECONNECT = 4;

test.concurrent(
  `nothing that got 202 is lost, repeated or turned back by ${KILLS} kills under load`,
  async ({ expect }) => {
    const random = seeded(SEED);
    const port = await freePort();
    const disk = crashDisk(random);
    const env = { TAGWIRE_DATA: disk.folder, PORT: String(port), RECONNECT_SECONDS: String(RECONNECT) };
    const scene: Scene = {
      ...{ random: seeded(SEED + 1), url: `http://127.0.0.1:${port}`, token: await tokenFor("shop") },
      users: Array.from({ length: CLIENTS }, (_, i) => `user-${i}`),
      ...{ lives: [], posted: [], isOver: false },
    };
    const start = (isFull = false) => {
      const life = { opensAt: Number.POSITIVE_INFINITY, killedAt: Number.POSITIVE_INFINITY, isFull };
      scene.lives.push(life);
      const router = startRouter("child", { ...env, ...(isFull ? disk.full : {}) });
      scene.isFull ||= isFull;
      router.ready.then(
        () => {
          scene.isFull = isFull;
          const opens = Number(/^opens (\d+)$/m.exec(router.output())?.[1]);
          life.opensAt = opens - performance.timeOrigin;
        },
        () => {},
      );
      return { ...router, life };
    };

    let router = start();
    await router.ready;
    const witnesses = await audience(scene);
    const areBack = () => witnesses.every(({ client }) => client.state === "connected");
    const notes: Notes = new Map();
    const work = Promise.all([publish(scene, 6), readReceipts(scene, notes)]);
    // What they throw is thrown again at the end.
    work.catch(() => {});
    for (let kill = 0; kill < KILLS; kill++) {
      // One in ten dies while it starts, two while they wait for clients.
      const when = random();
      if (when > 0.1 || kill === 0) {
        await router.ready;
        // On a busy machine a second is nothing.
        const { length } = scene.posted;
        if (kill % 3 !== 2)
          await expect.poll(() => scene.posted.length, { timeout: 60_000 }).toBeGreaterThan(length + 20);
      }
      const hasOpened = () => performance.now() > router.life.opensAt || areBack();
      if (when > 0.3) await expect.poll(hasOpened, { timeout: 60_000 }).toBe(true);
      await pause(random() * 1_000);
      if (kill % 3 === 2) await fill(disk, scene, expect);
      router.life.killedAt = performance.now();
      await router.kill();
      if (kill % 3 !== 2) expect(router.errors()).toBe("");
      if (kill % 3 === 1) await disk.cutPower();
      if (KILLS > 20 && kill % 10 === 9)
        appendFileSync(
          LOG,
          `${new Date().toISOString()} seed ${SEED} kills ${kill + 1} posted ${scene.posted.length}\n`,
        );
      // The last one has room to end everything.
      router = start(kill % 3 === 1 && kill < KILLS - 1);
    }
    await router.ready;
    scene.isOver = true;
    await work;
    await expect.poll(areBack, { timeout: 60_000 }).toBe(true);
    await postOne(scene, "plain");
    await readEndings(scene, notes, 60_000 + KILLS * 10_000);
    const last = await postOne(scene, "stream");
    await readEndings(scene, notes, 60_000, [last]);
    for (const { stream, user } of witnesses)
      await expect.poll(() => stream.at(-1)?.[1], { timeout: 60_000, message: user }).toBe(last.n);
    const report = judge(scene, witnesses, notes);
    judgeKept(await readKept(scene), scene, witnesses, notes);
    for (const { client } of witnesses) client.close();
    if (KILLS > 20)
      appendFileSync(LOG, `seed ${SEED} kills ${KILLS} clients ${CLIENTS}: ${JSON.stringify(report)}\n`);
    expect(report["owed"]).toBeGreaterThan(0);
    expect(report["stream"]).toBeGreaterThan(KILLS * 5);
    expect(router.errors()).toBe("");
    await router.kill();
  },
  60_000 + KILLS * 20_000,
);

/** Until messages were refused; then there is room again, if it is a real disk, and messages are taken again. */
async function fill(disk: CrashDisk, scene: Scene, expect: ExpectStatic): Promise<void> {
  const { refused = 0 } = scene;
  disk.fill();
  await expect.poll(() => scene.refused ?? 0, { timeout: 60_000 }).toBeGreaterThan(refused);
  if (!disk.free()) return;
  const before = performance.now();
  const isTaken = ({ acceptedAt = 0 }: Posted) => acceptedAt > before;
  await expect.poll(() => scene.posted.some(isTaken), { timeout: 60_000 }).toBe(true);
}

const LOG = process.env["KILLS_LOG"] ?? "/dev/null";

test.concurrent("a message that ends the process on every run is dead after five deaths, and its neighbours are delivered", async () => {
  const port = await freePort();
  const env = { TAGWIRE_DATA: temporary(), PORT: String(port), RECONNECT_SECONDS: "1" };
  const url = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${await tokenFor("shop")}`, "content-type": "application/json" };
  const got: unknown[] = [];
  /** Starts a process, and is back before its lanes open. */
  const restart = async () => {
    const router = startRouter("child", env);
    await router.ready;
    const socket = await connect({ socketUrl: `ws://127.0.0.1:${port}` }, "anna", ["topic:plain"]);
    router.ended.then(() => got.push(...socket.buffered()));
    return router;
  };
  let router = await restart();
  const posted = ["before", "poison", "after"].map((id) => ({
    ...{ id, event: id, target: { topic: "plain" }, data: id },
  }));
  // It may end the process before the answer has left, but not before it is on the disk.
  await fetch(`${url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(posted) }).catch(
    () => {},
  );
  const stateOf = async (id: string): Promise<{ state?: string; reason?: string }> =>
    (await fetch(`${url}/v1/messages/${id}`, { headers })).json() as object;
  const ending = async (id: string) => {
    for (;;) {
      const state = await stateOf(id).then(
        ({ state }) => state,
        () => undefined,
      );
      if (state !== undefined && ENDED.has(state)) return state;
      await pause(20);
    }
  };
  let deaths = 0;
  const ended = ending("poison");
  const died = () => router.ended.then(() => "died");
  while ((await Promise.race([died(), ended])) === "died") {
    deaths++;
    router = await restart();
  }
  expect(await ended).toBe("dead");
  // The first one is not counted: whatever was under way in a power cut would be suspect of it.
  expect(deaths).toBe(6);
  expect(await stateOf("poison")).toMatchObject({ reason: "5 runs died while they processed it" });
  expect([await ending("before"), await ending("after")]).toEqual(["delivered", "delivered"]);
  await router.kill();
  const seen = new Set(got.map((frame) => (frame as { data: unknown }).data));
  expect(seen).toEqual(new Set(["before", "after"]));
});
