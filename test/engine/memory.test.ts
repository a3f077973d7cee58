import fc from "fast-check";
import { expect, test } from "vitest";
import { engineConnections } from "../../local/engine/connections.ts";
import { sortedRows } from "../../local/engine/sorted-rows.ts";
import { engineSubscriptions } from "../../local/engine/subscriptions.ts";
import { timeHeap } from "../../local/engine/time-heap.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { WHOLE } from "../../shared/receipts/hash-range.ts";
import { NOW } from "../support/message.ts";

/* What the process keeps in memory. */

test("a heap gives back what is due, the earliest first, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(50), (times, now) => {
      const heap = timeHeap<number>();
      for (const at of times) heap.push(at, at);
      const due: number[] = [];
      for (let at = heap.takeDue(now); at !== undefined; at = heap.takeDue(now)) due.push(at);
      const sorted = times.toSorted((a, b) => a - b);
      expect(due).toEqual(sorted.filter((at) => at <= now));
      expect(heap.first()).toBe(sorted.find((at) => at > now));
    }),
  );
});

test("sorted rows are what a sorted array of them would be, whatever is added and deleted", () => {
  const key = fc.nat(3_000).map((n) => n.toString(16).padStart(8, "0"));
  const acts = fc.array(fc.record({ key, isAdded: fc.boolean() }), {
    size: "max",
    maxLength: 4_000,
  });
  fc.assert(
    fc.property(acts, key, key, fc.integer({ min: 1, max: 2_000 }), (all, from, to, limit) => {
      const rows = sortedRows<{ key: string; at: number }>((row) => row.key);
      const expected = new Map<string, number>();
      for (const [at, { key, isAdded }] of all.entries()) {
        if (isAdded) rows.set({ key, at });
        else rows.delete(key);
        if (isAdded) expected.set(key, at);
        else expected.delete(key);
      }
      const sorted = [...expected].map(([key, at]) => ({ key, at })).sort((a, b) => (a.key < b.key ? -1 : 1));
      const within = sorted.filter(({ key }) => key >= from && key < to).slice(0, limit);
      expect(rows.slice(from, to, limit)).toEqual(within);
      expect(rows.all()).toEqual(sorted);
      expect(rows.size()).toBe(expected.size);
      expect(rows.get(from)?.at).toBe(expected.get(from));
    }),
    { numRuns: 50 },
  );
});

test("rows of connections and lists go once they have expired, and empty lists with them", async () => {
  const [connections, subscriptions] = [engineConnections(), engineSubscriptions()];
  const tags = ["everyone", "user:ann"] as Tag[];
  for (const [name, expiresAt] of [
    ["old=", NOW],
    ["new=", NOW + 1],
  ] as const) {
    const holder = { connectionId: name as ConnectionId, connectedAt: NOW - 9 };
    const end = { expiresAt, tokenExpiresAt: expiresAt };
    await connections.put({ ...holder, ...end, user: "ann" as UserId, tags, subscribe: [] });
    await subscriptions.add(tags, holder, expiresAt);
  }
  connections.expire(NOW + 1);
  subscriptions.expire(NOW + 1);
  expect(connections.size()).toBe(1);
  expect(subscriptions.rows().map(({ connectionId }) => connectionId)).toEqual(["new=", "new="]);
  subscriptions.expire(NOW + 2);
  expect(subscriptions.rows()).toEqual([]);
});

// Comparisons are counted, since a clock would say how busy the machine is.
test("to add, find and delete a row of 20,000 takes some tens of comparisons", () => {
  let looks = 0;
  const rows = sortedRows<{ key: string }>((row) => {
    looks++;
    return row.key;
  });
  const keys = Array.from({ length: 20_000 }, (_, i) => ((i * 7_919) % 20_000).toString().padStart(8, "0"));
  for (const key of keys) rows.set({ key });
  expect(looks / keys.length).toBeLessThan(50);
  looks = 0;
  for (const key of keys.slice(0, 1_000)) rows.delete(key);
  expect(looks / 1_000).toBeLessThan(50);
});

test("a page is in the order of its keys and never longer than asked for, in a list of 20,000", async () => {
  const subscriptions = engineSubscriptions();
  const tag = "everyone" as Tag;
  for (let i = 0; i < 20_000; i++) {
    await subscriptions.add([tag], { connectionId: `c${i}=` as ConnectionId, connectedAt: NOW }, NOW + 1);
  }
  const keys: string[] = [];
  for (let from: string | undefined = WHOLE.from; from !== undefined; ) {
    const page = subscriptions.page(tag, { from, to: WHOLE.to, limit: 777, now: NOW });
    expect(page.rows.length).toBeLessThanOrEqual(777);
    keys.push(...page.rows.map(({ key }) => key));
    from = page.next;
  }
  expect(keys).toEqual(keys.toSorted());
  expect(new Set(keys).size).toBe(20_000);
});
