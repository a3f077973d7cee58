import { expect, test } from "vitest";
import type { Store } from "../../local/engine/store/store.ts";
import { slowStore } from "./slow-store.ts";
import { aStore, idsOf, jobsOf, queueOver, takeAll } from "./support.ts";

test("a dead letter is stored once it is on the disk", async () => {
  const store = slowStore(await aStore());
  const { queue } = queueOver(store);
  const putting = queue.deadLetter("low", "{}", "why");
  store.lose();
  await expect(putting).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});

test("letters that come while others are held are found, and each is held once", async () => {
  const { queue, deadLetters, clock } = queueOver(await aStore());
  const bodies = async (seconds: number) =>
    (await deadLetters.receive(10, seconds)).map(({ body }) => body).toSorted();
  await queue.deadLetter("low", "a", "why");
  expect(await bodies(10)).toEqual(["a"]);
  await queue.deadLetter("low", "b", "why");
  expect(await bodies(20)).toEqual(["b"]);
  clock.advance(10_000);
  expect(await bodies(60)).toEqual(["a"]);
  clock.advance(10_000);
  expect(await bodies(60)).toEqual(["b"]);
});

test("dead letters are counted without a look at what they hold, which may be gigabytes", async () => {
  const store = await aStore();
  const unread: Store = {
    ...store,
    range: (table, query) => (query.limit === 1 ? store.range(table, query) : []),
  };
  const { queue, deadLetters } = queueOver(unread);
  for (const body of ["a", "b", "c"]) await queue.deadLetter("low", body, "why");
  expect(await deadLetters.size()).toBe(3);
});

test("one that is past its time while it is held is not counted below nothing", async () => {
  const store = await aStore();
  const { queue, deadLetters, clock } = queueOver(store);
  await queue.deadLetter("low", "a", "why");
  await deadLetters.receive(10, 43_200);
  await store.expire(clock.now() + 366 * 86_400_000);
  expect(await deadLetters.size()).toBe(0);
});

test("a hold that was let go, and has been taken by another since, is not let go again", async () => {
  const { queue, deadLetters, clock } = queueOver(await aStore());
  await queue.deadLetter("low", "a", "why");
  const first = await deadLetters.receive(1, 10);
  await deadLetters.release(first);
  expect(await deadLetters.receive(1, 60)).toHaveLength(1);
  await deadLetters.release(first);
  clock.advance(10_000);
  expect(await deadLetters.receive(1, 60)).toEqual([]);
});

test("what is redriven is an entry of its lane again, with a first receive, over a restart too", async () => {
  const store = await aStore();
  const { queue, deadLetters } = queueOver(store);
  await queue.send("high", jobsOf("ann", "a"));
  const [taken] = takeAll(queue, "high");
  queue.remove("high", taken?.receiptHandle ?? "");
  const body = JSON.stringify({ message: jobsOf("ann", "a")[0]?.job.message });
  const producer = jobsOf("ann", "a")[0]?.job.message.producer;
  if (!producer) throw new Error("there is no producer");
  expect(await deadLetters.forward("high", [{ body, producer }])).toEqual([true]);
  const [again] = takeAll(queue, "high");
  expect(again).toMatchObject({ receive: 1, body });
  expect(again?.messageId).not.toBe(taken?.messageId);
  expect(idsOf(takeAll(queueOver(store).queue, "high"))).toEqual(["a"]);
});

test("a lane that the disk is full for takes no dead letter", async () => {
  const store = slowStore(await aStore());
  const { deadLetters } = queueOver(store);
  const producer = jobsOf("ann", "a")[0]?.job.message.producer;
  const forwarding = deadLetters.forward("high", producer ? [{ body: "{}", producer }] : []);
  store.lose();
  expect(await forwarding).toEqual([false]);
});

test("dead letters are kept for 14 days", async () => {
  const store = await aStore();
  const { queue, deadLetters, clock } = queueOver(store);
  await queue.deadLetter("low", "a", "why");
  await store.expire(clock.now() + 14 * 86_400_000);
  expect(await deadLetters.size()).toBe(1);
  await store.expire(clock.now() + 14 * 86_400_000 + 1);
  expect(await deadLetters.size()).toBe(0);
});

test("a sweep over many letters reads each of them once", async () => {
  const store = await aStore();
  const { queue, deadLetters } = queueOver(store);
  for (let i = 0; i < 2_000; i++) await queue.deadLetter("low", `${i}`, "why");
  let rows = 0;
  const counted = queueOver({
    ...store,
    range(table, query) {
      const found = store.range(table, query);
      rows += found.length;
      return found;
    },
  }).deadLetters;
  rows = 0;
  const seen = new Set<string>();
  for (let some = await counted.receive(10, 60); some.length > 0; some = await counted.receive(10, 60)) {
    for (const { body } of some) seen.add(body);
  }
  expect([seen.size, rows]).toEqual([2_000, 2_000]);
  expect(await deadLetters.size()).toBe(2_000);
});
