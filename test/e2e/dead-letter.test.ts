import { expect, inject, test } from "vitest";
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

test.runIf(inject("deployed").faults)(
  "a message that runs out of receives is dead, says why, and is in the dead-letter queue",
  async () => {
    const shop = await producer(router, "shop");
    const busy = await connect(router, "ivy");
    const [busyId = ""] = await router.connectionsOf("ivy");
    await router.failPosts(busyId, Array(1_000).fill(429));
    const id = await shop.send({ target: { user: "ivy" }, data: 1 });
    expect(await shop.ended(id, 60_000)).toMatchObject({
      state: "dead",
      attempts: 5,
      reason: expect.stringContaining("429"),
      failed: [busyId],
    });
    expect(JSON.parse((await router.deadLetter(id)).body)).toMatchObject({ message: { id } });
    await router.failPosts(busyId, []);
    await busy.close();
  },
  90_000,
);
