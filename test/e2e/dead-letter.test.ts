import { describe, expect, inject, test } from "vitest";
import { tagwire } from "../support/command.ts";
import { connect, producer } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";

const router = deployment();

test("a body that is not a message goes to the dead-letter queue at once, with its reason", async () => {
  const shop = await producer(router, "shop");
  const neighbour = await connect(router, "hal");
  await router.enqueue("normal", "poison, not JSON");
  const id = await shop.send({ target: { user: "hal" }, data: 1 });
  expect(await neighbour.message()).toMatchObject({ id });
  expect(await router.deadLetter("poison")).toEqual({
    body: "poison, not JSON",
    reason: expect.stringContaining("MESSAGE_INVALID"),
  });
  await neighbour.close();
});

/** Five rounds, and the back-off after each: at most 1 + 2 + 3 + 3 + 3 seconds on top of the runs. */
const ALL_ROUNDS = { timeout: 60_000, concurrent: true };
const always = (status: number) => Array<number>(1_000).fill(status);

describe.runIf(inject("deployed").faults)("where something fails", ALL_ROUNDS, () => {
  test("a message is dead and says why, and a redrive brings it to those who wait", async () => {
    const shop = await producer(router, "shop");
    const busy = await connect(router, "ivy");
    const [busyId = ""] = await router.connectionsOf("ivy");
    const served = await connect(router, "ivy");
    await router.failSends(busyId, always(429));
    const id = await shop.send({ target: { user: "ivy" }, data: 1 });
    expect(await served.message()).toMatchObject({ id });
    expect(await shop.ended(id, 45_000)).toMatchObject({ state: "dead", attempts: 5, failed: [busyId] });

    const { out } = await tagwire(["dead-letters", "list", "--id", id, "--json"], router);
    expect(JSON.parse(out)).toMatchObject({ id, lane: "normal", reason: expect.stringContaining("429") });

    await router.failSends(busyId, []);
    expect(await tagwire(["dead-letters", "redrive", "--id", id], router)).toMatchObject({ code: 0 });
    expect(await busy.message()).toMatchObject({ id });
    expect(await shop.ended(id)).toMatchObject({ state: "delivered", counts: { sent: 2, pending: 0 } });
    expect(await served.rest()).toEqual([]);
    await Promise.all([busy.close(), served.close()]);
  });

  test("a message that no run could claim waits for its table, and is delivered then", async () => {
    const shop = await producer(router, "shop");
    const client = await connect(router, "waits");
    const id = "table-was-down";
    await router.failReceipt("shop", id, always(503));
    await shop.send({ id, target: { user: "waits" }, data: 1 });
    const other = await shop.send({ target: { user: "waits" }, data: 2 });
    expect(await client.message()).toMatchObject({ id: other });
    await router.failReceipt("shop", id, []);
    expect(await client.message()).toMatchObject({ id });
    expect(await shop.ended(id)).toMatchObject({ state: "delivered" });
    await client.close();
  });
});
