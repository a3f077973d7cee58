import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { connect } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { RUNTIMES } from "../support/runtimes.ts";

const HOUR = 3_600_000;
const spread = (tag: string, hours: number) => ({
  ...{ tag, hashBits: 3, hashBitsBefore: 1 },
  since: new Date(Date.now() + hours * HOUR).toISOString().replace(/\.\d+/, ""),
});

describe.each([
  { when: "long ago", hours: -24 },
  { when: "an hour ago", hours: -1 },
  { when: "in some minutes", hours: 0.1 },
])("lists that lie on more partition keys since $when", ({ hours }) => {
  describe.each(RUNTIMES)("%s", (_name, startRouter) => {
    let router: Router;
    beforeAll(async () => {
      const spreadTags = [spread("everyone", hours), spread("topic:news", hours), spread("region:gd", hours)];
      router = await startRouter({ settings: { spreadTags } });
    });
    afterAll(() => router.stop(0));

    test("reach each of their connections once, and none that has left", async () => {
      const open = await Promise.all(
        Array.from({ length: 12 }, (_, i) => connect(router, `u${i}`, i % 2 === 0 ? ["region:gd"] : [])),
      );
      for (const client of open) {
        client.send({ type: "subscribe", topics: ["news"], ref: 1 });
        expect(await client.next()).toMatchObject({ type: "subscribed" });
      }
      const sent = async (target: object) => {
        const { body } = await post(router, { target, data: 1 });
        await router.spy.idle();
        return receipt(router, String(body["id"]));
      };
      const counts = (count: number) => ({ state: "delivered", counts: { sent: count } });
      expect(await sent({ everyone: true })).toMatchObject(counts(12));
      expect(await sent({ topic: "news" })).toMatchObject(counts(12));
      expect(await sent({ tags: { all: ["topic:news", "region:gd"], none: ["user:u0"] } })).toMatchObject(
        counts(5),
      );
      open[0]?.send({ type: "unsubscribe", topics: ["news"], ref: 2 });
      await expect.poll(() => sent({ topic: "news" })).toMatchObject(counts(11));
      await Promise.all(open.slice(3).map((client) => client.close()));
      await expect.poll(async () => router.spy.connections().length).toBe(3);
      expect(await sent({ everyone: true })).toMatchObject(counts(3));
      expect(await sent({ topic: "news" })).toMatchObject(counts(2));
    });
  });
});
