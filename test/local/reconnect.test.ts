import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { start } from "../../local/start.ts";
import { temporary } from "../engine/store/temporary.ts";
import { connect } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";

/** Starts a router over a folder. An hour is longer than any test waits. */
async function starts(data: string, reconnectSeconds = 3_600) {
  const router = await start({ data, reconnectSeconds });
  const stop = async () => void (await router.stop(0));
  onTestFinished(stop);
  return { ...router, stop };
}

type Started = Awaited<ReturnType<typeof starts>>;
const orders = { target: { topic: "orders" }, data: 1 };
const waiting = async (router: Started) => (await router.spy.queueSizes()).normal.visible;
const anna = (router: Started) => connect(router, "anna", ["topic:orders"]);
/** A client that has been answered is in the file that the next process reads. */
const settled = async (socket: Awaited<ReturnType<typeof anna>>) => {
  socket.send({ type: "ping" });
  expect(await socket.next()).toMatchObject({ type: "pong" });
};

/** A folder whose last process ended while anna was connected. */
async function used(): Promise<string> {
  const data = temporary();
  const router = await starts(data);
  await settled(await anna(router));
  await router.stop();
  return data;
}

test("a message that was delayed when its process ended waits for clients, as one that was due does", async () => {
  const data = temporary();
  const before = await starts(data);
  expect(await post(before, { ...orders, delaySeconds: 2 })).toMatchObject({ status: 202 });
  await before.stop();
  const router = await starts(data);
  await expect.poll(() => waiting(router)).toBe(1);
});

test("a message that is posted right after a restart waits until all who were connected are back", async () => {
  const router = await starts(await used());
  const { id } = await post(router, orders);
  await settled(await connect(router, "bob", ["topic:orders"]));
  expect(await waiting(router)).toBe(1);
  const socket = await anna(router);
  // Somebody who was not there before is no reason to wait less.
  await settled(socket);
  expect(await waiting(router)).toBe(1);
  await router.stop();

  const again = await starts(await used());
  await post(again, { ...orders, id });
  const back = await anna(again);
  expect(await back.next()).toMatchObject({ id });
});

test("it waits for the subscriptions too", async () => {
  const router = await starts(await used());
  await post(router, orders);
  const socket = await connect(router, "anna");
  await settled(socket);
  expect(await waiting(router)).toBe(1);
  socket.send({ type: "subscribe", topics: ["orders"] });
  expect(await socket.next()).toMatchObject({ type: "subscribed" });
  expect(await socket.next()).toMatchObject({ data: 1 });
});

test("a process that ends while it waits hands the whole wait on, since some were back and others not", async () => {
  const data = await used();
  await (await starts(data)).stop();
  const router = await starts(data);
  await post(router, orders);
  await settled(await anna(router));
  expect(await waiting(router)).toBe(1);
});

test("what a power cut left of the file is no reason to wait less", async () => {
  const data = await used();
  writeFileSync(join(data, "connected"), Buffer.alloc(64, 0xff));
  const router = await starts(data);
  await post(router, orders);
  await settled(await anna(router));
  expect(await waiting(router)).toBe(1);
});

test("the wait ends by itself", async () => {
  const router = await starts(await used(), 0.01);
  const { id } = await post(router, orders);
  await expect.poll(() => receipt(router, id)).toMatchObject({ state: "no-recipients" });
});

test("nobody waits over a new folder, or one that was left by all", async () => {
  const data = temporary();
  const before = await starts(data);
  const ending = async () => {
    const { id } = await post(before, orders);
    for (;;) {
      const { state } = await receipt(before, id);
      if (state === "delivered" || state === "no-recipients") return state;
    }
  };
  expect(await ending()).toBe("no-recipients");
  const socket = await anna(before);
  expect(await ending()).toBe("delivered");
  await socket.close();
  await expect.poll(ending).toBe("no-recipients");
  await before.stop();
  const router = await starts(data);
  const { id } = await post(router, orders);
  await expect.poll(() => receipt(router, id)).toMatchObject({ state: "no-recipients" });
});
