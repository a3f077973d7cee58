import { expect, onTestFinished, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { start } from "../../local/start.ts";
import { temporary } from "../engine/store/temporary.ts";
import { connect, tokenFor } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { patient } from "../support/patient.ts";

const FILLING = "x".repeat(60_000);

test("a full disk refuses messages, reads and delivers what it kept, and takes messages again once there is room", async () => {
  const options = {
    ...{ data: temporary(), maxDataBytes: 2_000_000, reconnectSeconds: 3_600 },
    settings: patient({ streams: [{ topics: "kept/*", seconds: 3_600, count: 100 }] }),
  };
  const before = await start(options);
  const connectAnna = (to: Router) => connect(to, "anna", ["topic:plain", "topic:kept/orders"]);
  const first = await connectAnna(before);
  await post(before, { id: "first", target: { topic: "kept/orders" }, data: "first" });
  expect(await first.next()).toMatchObject({ data: "first" });
  await expect.poll(() => receipt(before, "first")).toMatchObject({ state: "delivered" });
  await before.stop(0);
  // Nothing makes room by its end until she is back.
  const router = await start(options);
  onTestFinished(async () => {
    await router.stop(0);
  });

  const kept: string[] = [];
  const fill = async (filling: string) => {
    for (;;) {
      const id = `m-${kept.length}`;
      const answer = await post(router, { id, target: { topic: "plain" }, data: filling });
      if (answer.status !== 202) return answer;
      kept.push(id);
    }
  };
  await fill(FILLING);
  // Nor is there room for an outcome then.
  const refusal = await fill("x".repeat(1_000));
  expect(kept.length).toBeGreaterThan(10);
  expect(refusal).toMatchObject({ status: 503, body: { code: "QUEUE_UNAVAILABLE" } });

  expect(await receipt(router, "first")).toMatchObject({ state: "delivered" });
  const headers = { authorization: `Bearer ${await tokenFor("anna")}` };
  const history = await fetch(`${router.url}/v1/history?topic=kept/orders&last=5`, { headers });
  expect([history.status, await history.json()]).toMatchObject([200, { messages: [{ data: "first" }] }]);

  const anna = await connectAnna(router);
  const got: string[] = [];
  while (got.length < kept.length) got.push(((await anna.next()) as { id: string }).id);
  expect(got.sort()).toEqual(kept.sort());
  await expect
    .poll(async () => (await post(router, { target: { topic: "plain" }, data: FILLING })).status)
    .toBe(202);
  for (const id of kept) await expect.poll(() => receipt(router, id)).toMatchObject({ state: "delivered" });
  expect(anna.buffered().length).toBeLessThanOrEqual(1);
});
