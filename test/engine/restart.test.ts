import { expect, onTestFinished, test } from "vitest";
import type { EngineQueue } from "../../local/engine/queue.ts";
import { engineReceipts } from "../../local/engine/receipts.ts";
import { openStore, type Store } from "../../local/engine/store/store.ts";
import { engineStreams } from "../../local/engine/streams.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { ANN, delivered, lease } from "../contract/receipt-parts.ts";
import { aJob, NOW } from "../support/message.ts";
import { temporary } from "./store/temporary.ts";
import { aStore, idsOf, jobsOf, queueOver, takeAll } from "./support.ts";

/* A process that starts on what another has left, which ended without a word. */

test("everything that waited is there, in the order of arrival, of each producer and lane", async () => {
  const store = await aStore();
  const before = queueOver(store);
  await before.queue.send("normal", jobsOf("ann", "a1", "a2"));
  await before.queue.send("high", jobsOf("ann", "h"));
  await before.queue.send("normal", jobsOf("bob", "b1"));
  const { queue } = queueOver(store);
  expect(queue.sizes()).toMatchObject({ normal: { visible: 3 }, high: { visible: 1 }, low: { visible: 0 } });
  expect(idsOf(takeAll(queue))).toEqual(["a1", "b1", "a2"]);
  expect(idsOf(takeAll(queue, "high"))).toEqual(["h"]);
});

test("what was taken or backed off is visible, and what was removed is gone", async () => {
  const store = await aStore();
  const before = queueOver(store);
  await before.queue.send("normal", jobsOf("ann", "removed", "taken", "hidden"));
  const [removed, , hidden] = takeAll(before.queue);
  before.queue.remove("normal", removed?.receiptHandle ?? "");
  await before.queue.changeVisibility("normal", hidden?.receiptHandle ?? "", 900);
  expect(idsOf(takeAll(queueOver(store).queue))).toEqual(["taken", "hidden"]);
});

test("a delay holds, and no longer than it could where the clock was set back", async () => {
  const store = await aStore();
  const clock = memoryClock(Date.now());
  const [job] = jobsOf("ann", "later");
  if (!job) throw new Error("there is no job");
  await queueOver(store, {}, clock).queue.send("normal", [{ ...job, delaySeconds: 900 }]);
  clock.advance(600_000);
  const later = queueOver(store, {}, clock);
  clock.advance(299_999);
  expect(takeAll(later.queue)).toEqual([]);
  clock.advance(1);
  expect(idsOf(takeAll(later.queue))).toEqual(["later"]);
  const back = memoryClock(Date.now() - 86_400_000);
  await queueOver(store, {}, clock).queue.send("low", [{ ...job, delaySeconds: 900 }]);
  const { queue } = queueOver(store, {}, back);
  back.advance(900_000);
  expect(idsOf(takeAll(queue, "low"))).toEqual(["later"]);
});

test("an entry counts one receive more in each process, whether or not its run had begun", async () => {
  const store = await aStore();
  await queueOver(store).queue.send("normal", jobsOf("ann", "a", "b"));
  const receives = () =>
    queueOver(store)
      .queue.take("normal", 1)
      .map(({ receive }) => receive);
  expect([receives(), receives(), receives()]).toEqual([[2], [3], [4]]);
});

test("what an earlier process received lengthens no back-off", async () => {
  const store = await aStore();
  const before = queueOver(store).queue;
  await before.send("normal", jobsOf("ann", "a"));
  const retries = (queue: EngineQueue) =>
    [1, 2, 3].map(() => {
      const [taken] = takeAll(queue);
      queue.changeVisibility("normal", taken?.receiptHandle ?? "", 0);
      return taken?.retries;
    });
  expect(retries(before)).toEqual([0, 1, 2]);
  expect(retries(queueOver(store).queue)).toEqual([0, 1, 2]);
});

test("retries before it are counted too", async () => {
  const store = await aStore();
  const { queue } = queueOver(store);
  await queue.send("normal", jobsOf("ann", "a"));
  for (let i = 0; i < 5; i++) {
    const [taken] = takeAll(queue);
    await queue.changeVisibility("normal", taken?.receiptHandle ?? "", 0);
  }
  expect(takeAll(queueOver(store).queue)).toMatchObject([{ receive: 6 }]);
});

test("no id of an entry comes again, not even when the lanes were empty or the clock was set back", async () => {
  const store = await aStore();
  const ids = new Set<string>();
  const clocks = [memoryClock(Date.now()), memoryClock(Date.now() + 1), memoryClock(Date.now() + 2)];
  for (const clock of clocks) {
    const { queue } = queueOver(store, {}, clock);
    await queue.send("normal", jobsOf("ann", "a", "b"));
    for (const { messageId, receiptHandle } of takeAll(queue)) {
      ids.add(messageId);
      queue.remove("normal", receiptHandle);
    }
  }
  expect(ids.size).toBe(6);
  await queueOver(store, {}, memoryClock(Date.now())).queue.send("normal", jobsOf("ann", "first"));
  const back = queueOver(store, {}, memoryClock(0));
  await back.queue.send("normal", jobsOf("ann", "second"));
  expect(idsOf(takeAll(queueOver(store).queue))).toEqual(["first", "second"]);
});

test("all of it is on the disk, where the next process finds it", async () => {
  const folder = temporary();
  const job = jobsOf("ann", "a")[0]?.job ?? aJob();
  const row = { seq: 5, next: 6, messages: ["{}"], at: NOW, until: NOW, expiresAt: NOW };
  const before = await openStore({ folder });
  const { queue } = queueOver(before);
  await queue.send("normal", jobsOf("ann", "a", "b", "c"));
  const [removed, again] = queue.take("normal", 2);
  queue.remove("normal", removed?.receiptHandle ?? "");
  await queue.changeVisibility("normal", again?.receiptHandle ?? "", 0);
  queue.take("normal", 2);
  await queue.deadLetter("low", "{}", "why");
  await engineStreams(before).append("topic:orders" as Tag, row);
  const receipts = engineReceipts({ store: before, days: 15 });
  receipts.claim(job, lease("a"), NOW);
  receipts.settle(job, "a", delivered(3), NOW);
  await before.close();
  const store = await openStore({ folder });
  onTestFinished(() => store.close());
  const after = queueOver(store);
  expect(takeAll(after.queue).map(({ receive }) => receive)).toEqual([3, 2]);
  expect(await after.deadLetters.receive(10, 60)).toMatchObject([{ body: "{}", lane: "low", reason: "why" }]);
  expect(await engineStreams(store).last("topic:orders" as Tag)).toEqual(row);
  const found = await engineReceipts({ store, days: 15 }).find(ANN, job.message.id, NOW);
  expect(found).toMatchObject({ state: "delivered", counts: { sent: 3 } });
});

test("dead letters are all visible, and those that were removed are gone", async () => {
  const store = await aStore();
  const { queue, deadLetters } = queueOver(store);
  for (const body of ["a", "b", "c"]) await queue.deadLetter("low", body, "why");
  const [a] = await deadLetters.receive(2, 600);
  await deadLetters.remove(a ? [a] : []);
  const after = queueOver(store).deadLetters;
  expect(await after.size()).toBe(2);
  expect((await after.receive(10, 60)).map(({ body }) => body)).toEqual(["b", "c"]);
});

test("a process that starts with 20,000 entries needs no body of them", async () => {
  const store = await aStore();
  const { queue } = queueOver(store);
  const ids = Array.from({ length: 1_000 }, (_, i) => `m-${i}`);
  for (let i = 0; i < 20; i++) await queue.send("normal", jobsOf("ann", ...ids));
  const read: unknown[] = [];
  const counted: Store = {
    ...store,
    get(table, key) {
      read.push(key);
      return store.get(table, key);
    },
  };
  const after = queueOver(counted);
  expect(await after.queue.backlog("normal")).toBe(20_000);
  expect(read).toEqual([]);
  expect(after.queue.take("normal", 3)).toHaveLength(3);
  expect(read.length).toBeLessThanOrEqual(3);
});
