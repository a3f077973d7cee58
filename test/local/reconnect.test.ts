import { expect, test } from "vitest";
import { start } from "../../local/start.ts";
import { temporary } from "../engine/store/temporary.ts";
import { post } from "../support/http.ts";

test("a message that was delayed when its process ended waits for clients, as one that was due does", async () => {
  const options = { data: temporary(), reconnectSeconds: 3_600 };
  const before = await start(options);
  expect(await post(before, { target: { topic: "orders" }, data: 1, delaySeconds: 2 })).toMatchObject({
    status: 202,
  });
  await before.stop(0);
  const router = await start(options);
  await expect.poll(async () => (await router.spy.queueSizes()).normal.visible).toBe(1);
  await router.stop(0);
});
