import { expect, test } from "vitest";
import { route } from "../../shared/pipeline/route/route.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";

test("a list that is behind is read on from where the others are: pages between are not read", async () => {
  const clock = memoryClock();
  const subscriptions = memorySubscriptions();
  const [long, short] = ["a:long" as Tag, "a:short" as Tag];
  for (let i = 0; i < 3_000; i++) {
    const connection = { connectionId: `c${i}` as ConnectionId, connectedAt: clock.now() };
    await subscriptions.add(i < 100 ? [long, short] : [long], connection, clock.now() + 7_200_000);
  }
  let rows = 0;
  let keys = 0;
  const counted: typeof subscriptions = {
    ...subscriptions,
    async page(tag, query) {
      const page = await subscriptions.page(tag, query);
      rows += page.rows.length;
      return page;
    },
    filterHolders(tag, some, now) {
      keys += some.length;
      return subscriptions.filterHolders(tag, some, now);
    },
  };
  const policy = { pageSize: 5, firstPageSize: 20 };
  const deps = { subscriptions: counted, connections: memoryConnections(), clock, policy };
  let size = 0;
  for await (const page of (await route(deps, { tags: { all: [long, short] } })).pages()) size += page.length;
  expect({ size, keys }).toEqual({ size: 100, keys: 0 });
  expect(rows).toBeLessThan(1_000);
});
