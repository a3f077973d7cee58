import { expect, inject, test } from "vitest";
import { connect, producer } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";

const router = deployment();

/** No emulator answers 429, so the one in front of ours does. A running one has nothing in front of it. */
const canFail = inject("deployed").faults;

/** As many posts as a run makes to one connection. */
const ONE_RUN = [429, 429, 429];

test.runIf(canFail)(
  "a busy connection gets the message on a later receive; the others got it once",
  async () => {
    const shop = await producer(router, "shop");
    const slow = await connect(router, "fay");
    const [slowId = ""] = await router.connectionsOf("fay");
    const quick = await connect(router, "fay");
    await router.failSends(slowId, ONE_RUN);
    const id = await shop.send({ target: { user: "fay" }, data: "hi" });
    expect(await quick.message()).toMatchObject({ id });
    expect(await slow.message()).toMatchObject({ id });
    expect(await shop.ended(id)).toMatchObject({
      state: "delivered",
      attempts: 2,
      counts: { sent: 2, pending: 0 },
    });
    expect(await quick.rest()).toEqual([]);
    expect(await slow.rest()).toEqual([]);
    await Promise.all([slow.close(), quick.close()]);
  },
);

test.runIf(canFail)(
  "while a connection is busy the receipt says retrying, and a cancel ends it",
  async () => {
    const shop = await producer(router, "shop");
    const busy = await connect(router, "gus");
    const [busyId = ""] = await router.connectionsOf("gus");
    await router.failSends(busyId, Array(1_000).fill(429));
    const id = await shop.send({ target: { user: "gus" }, data: "hi" });
    await expect.poll(async () => (await shop.receipt(id)).body.state, { timeout: 10_000 }).toBe("retrying");
    await shop.cancel(id);
    await router.failSends(busyId, []);
    expect(await shop.ended(id)).toMatchObject({ state: "cancelled", counts: { sent: 0, pending: 1 } });
    expect(await busy.rest()).toEqual([]);
    await busy.close();
  },
);
