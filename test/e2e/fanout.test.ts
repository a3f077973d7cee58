import { expect, test } from "vitest";
import { SETTINGS } from "./harness/stack.ts";
import { connect, producer } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";

const router = deployment();

test("an audience that is too large for one run is split into jobs, and each of it gets the message once", async () => {
  const shop = await producer(router, "shop");
  const size = 3 * SETTINGS.recipientsPerRun;
  const crowd = await Promise.all(Array.from({ length: size }, () => connect(router, "crowd")));
  const id = await shop.send({ target: { user: "crowd" }, data: "hi" });
  const receipt = await shop.ended(id);
  expect(receipt).toMatchObject({ state: "delivered", counts: { sent: size, failed: 0 } });
  expect(receipt.jobs).toBeGreaterThan(1);
  for (const client of crowd) expect(await client.rest()).toMatchObject([{ id }]);
  await Promise.all(crowd.map((client) => client.close()));
});
