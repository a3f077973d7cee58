import { expect, onTestFinished, test, vi } from "vitest";
import { MAX_RECEIVES } from "../../shared/protocol/limits.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { slowStore } from "./slow-store.ts";
import { aStore, idsOf, jobsOf, queueOver, takeAll, VISIBILITY_SECONDS } from "./support.ts";

const VISIBILITY = VISIBILITY_SECONDS * 1000;

test("entries are taken in the order of arrival, at most as many as asked for", async () => {
  const { queue } = queueOver(await aStore());
  await queue.send("normal", jobsOf("ann", "a", "b"));
  await queue.send("normal", jobsOf("ann", "c"));
  expect(idsOf(queue.take("normal", 2))).toEqual(["a", "b"]);
  expect(idsOf(queue.take("normal", 2))).toEqual(["c"]);
  expect(queue.take("normal", 2)).toEqual([]);
  expect(queue.sizes().normal).toEqual({ visible: 0, hidden: 0, taken: 3 });
});

test("producers take turns, each in its own order, and who comes last is not the last served", async () => {
  const { queue } = queueOver(await aStore());
  await queue.send("normal", jobsOf("ann", "a1", "a2", "a3", "a4"));
  await queue.send("normal", jobsOf("bob", "b1", "b2"));
  expect(idsOf(queue.take("normal", 2))).toEqual(["a1", "b1"]);
  await queue.send("normal", jobsOf("eve", "e1"));
  expect(idsOf(takeAll(queue))).toEqual(["a2", "b2", "e1", "a3", "a4"]);
});

test("a lane that is not fair keeps the order of all producers", async () => {
  const { queue } = queueOver(await aStore(), { fair: false });
  await queue.send("normal", jobsOf("ann", "a1", "a2"));
  await queue.send("normal", jobsOf("bob", "b1"));
  expect(idsOf(takeAll(queue))).toEqual(["a1", "a2", "b1"]);
});

test("an entry backs off for as long as it is told, and its receives are counted", async () => {
  const { queue, clock } = queueOver(await aStore());
  await queue.send("normal", jobsOf("ann", "a"));
  const [first] = takeAll(queue);
  expect(first?.receive).toBe(1);
  await queue.changeVisibility("normal", first?.receiptHandle ?? "", 30);
  expect(queue.sizes().normal).toEqual({ visible: 0, hidden: 1, taken: 0 });
  clock.advance(29_999);
  expect(takeAll(queue)).toEqual([]);
  clock.advance(1);
  const [second] = takeAll(queue);
  expect(second).toMatchObject({ receive: 2, messageId: first?.messageId });
  expect(second?.receiptHandle).not.toBe(first?.receiptHandle);
  await queue.changeVisibility("normal", second?.receiptHandle ?? "", 0);
  expect(takeAll(queue)).toMatchObject([{ receive: 3 }]);
});

test("the last back-off holds, be it longer or shorter than the one before", async () => {
  const { queue, clock } = queueOver(await aStore());
  await queue.send("normal", jobsOf("ann", "longer", "shorter"));
  const [longer, shorter] = takeAll(queue).map(({ receiptHandle }) => receiptHandle);
  for (const [handle = "", seconds] of [
    [longer, 5],
    [shorter, 50],
    [longer, 50],
    [shorter, 5],
  ] as const) {
    await queue.changeVisibility("normal", handle, seconds);
  }
  clock.advance(5_000);
  expect(idsOf(takeAll(queue))).toEqual(["shorter"]);
  clock.advance(45_000);
  expect(idsOf(takeAll(queue))).toEqual(["longer"]);
});

test("the entry of a run that never answers comes back after the visibility timeout", async () => {
  const { queue, clock } = queueOver(await aStore());
  await queue.send("normal", jobsOf("ann", "a"));
  takeAll(queue);
  clock.advance(VISIBILITY - 1);
  expect(takeAll(queue)).toEqual([]);
  clock.advance(1_001);
  expect(takeAll(queue)).toMatchObject([{ receive: 2 }]);
});

test("a run that is late neither deletes nor hides what another has taken since", async () => {
  const store = await aStore();
  const { queue, clock } = queueOver(store);
  await queue.send("normal", jobsOf("ann", "a"));
  const [late] = takeAll(queue);
  clock.advance(VISIBILITY + 1_000);
  const [current] = takeAll(queue);
  queue.remove("normal", late?.receiptHandle ?? "");
  await queue.changeVisibility("normal", late?.receiptHandle ?? "", 0);
  expect(takeAll(queue)).toEqual([]);
  expect(await queue.backlog("normal")).toBe(1);
  queue.remove("normal", current?.receiptHandle ?? "");
  expect(await queue.backlog("normal")).toBe(0);
  expect(everyEntry(store)).toEqual([]);
});

test("a run that is late deletes what nobody has taken since, and does not hide it", async () => {
  const said: unknown[] = [];
  const { queue, clock } = queueOver(await aStore(), { warn: (event) => void said.push(event) });
  await queue.send("normal", jobsOf("ann", "a", "b"));
  const [a, b] = takeAll(queue);
  clock.advance(VISIBILITY + 1_000);
  await queue.changeVisibility("normal", b?.receiptHandle ?? "", 100);
  queue.remove("normal", a?.receiptHandle ?? "");
  expect(queue.sizes().normal).toEqual({ visible: 1, hidden: 0, taken: 0 });
  expect(idsOf(takeAll(queue))).toEqual(["b"]);
  clock.advance(100_000);
  expect(takeAll(queue)).toEqual([]);
  expect([queue.sizes().normal, said]).toEqual([{ visible: 0, hidden: 0, taken: 1 }, []]);
});

test("an entry that was received 1,000 times without an outcome is one dead letter with a reason, over a restart too", async () => {
  const store = await aStore();
  const { queue, deadLetters } = queueOver(store);
  await queue.send("low", jobsOf("ann", "a"));
  for (let receive = 1; receive <= MAX_RECEIVES; receive++) {
    const [taken] = queue.take("low", 1);
    expect(taken?.receive).toBe(receive);
    await queue.changeVisibility("low", taken?.receiptHandle ?? "", 0);
  }
  expect(queue.take("low", 1)).toEqual([]);
  expect(await queue.backlog("low")).toBe(0);
  const [letter] = await deadLetters.receive(10, 60);
  expect(letter).toMatchObject({ lane: "low", reason: expect.stringContaining("1000 times") });
  expect(JSON.parse(letter?.body ?? "")).toMatchObject({ message: { id: "a" } });
  const again = queueOver(store);
  expect(await again.queue.backlog("low")).toBe(0);
  expect(await again.deadLetters.size()).toBe(1);
});

test("a job stays in memory up to a bound of all bytes, and is read from the store above it", async () => {
  const jobs = jobsOf("ann", "a", "b", "c", "d");
  const bytes = Math.max(...jobs.map(({ job }) => bodyOf(job).length));
  const { queue } = queueOver(await aStore(), { memoryBytes: 2.5 * bytes });
  await queue.send("normal", jobs);
  const kinds = () => takeAll(queue).map(({ body }) => typeof body);
  expect(kinds()).toEqual(["object", "object", "string", "string"]);
  // What was taken has made room.
  await queue.send("normal", jobsOf("ann", "e"));
  expect(kinds()).toEqual(["object"]);
});

test("an entry is visible once it is on the disk, and not before", async () => {
  const store = slowStore(await aStore());
  const { queue } = queueOver(store);
  const heard: string[] = [];
  queue.onReady((lane) => heard.push(lane));
  const sending = queue.send("high", jobsOf("ann", "a"));
  expect(takeAll(queue, "high")).toEqual([]);
  expect(heard).toEqual([]);
  store.flush();
  expect(await sending).toEqual([true]);
  expect(heard).toEqual(["high"]);
  expect(idsOf(takeAll(queue, "high"))).toEqual(["a"]);
});

test("what the disk does not take is refused, said, and leaves nothing behind", async () => {
  const store = slowStore(await aStore());
  const said: unknown[] = [];
  const { queue } = queueOver(store, { warn: (...words) => void said.push(words) });
  const sending = queue.send("normal", jobsOf("ann", "a", "b"));
  store.lose();
  expect(await sending).toEqual([false, false]);
  expect(said).toMatchObject([
    ["messages not taken", { lane: "normal", messages: 2 }, { code: "STORE_UNAVAILABLE" }],
  ]);
  expect(takeAll(queue)).toEqual([]);
  expect(await queue.backlog("normal")).toBe(0);
  expect(everyEntry(store)).toEqual([]);
  const next = queue.send("normal", jobsOf("ann", "c"));
  store.flush();
  expect(await next).toEqual([true]);
  expect(idsOf(takeAll(queue))).toEqual(["c"]);
});

test("an entry that cannot be read delays no other, and is not lost", async () => {
  const store = await aStore();
  const said: unknown[] = [];
  let isBroken = true;
  const broken: typeof store = {
    ...store,
    get(table, key) {
      const value = store.get(table, key);
      if (isBroken && value?.includes('"bad"')) throw new Error("the row is damaged");
      return value;
    },
  };
  const { queue, clock } = queueOver(broken, { memoryBytes: 0, warn: (event) => void said.push(event) });
  await queue.send("normal", jobsOf("ann", "good", "bad", "better"));
  expect(idsOf(takeAll(queue))).toEqual(["good", "better"]);
  expect(said).toEqual(["entry not read"]);
  isBroken = false;
  clock.advance(VISIBILITY + 1_000);
  expect(idsOf(takeAll(queue)).toSorted()).toEqual(["bad", "better", "good"]);
});

test("who waits for a lane hears when a delay or a back-off is over, by one timer", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { queue, clock } = queueOver(await aStore());
  const timers = vi.getTimerCount();
  const heard: string[] = [];
  queue.onReady((lane) => heard.push(lane));
  const [job] = jobsOf("ann", "a");
  if (!job) throw new Error("there is no job");
  for (const delaySeconds of [3, 2, 1, 900]) await queue.send("low", [{ ...job, delaySeconds }]);
  expect(vi.getTimerCount()).toBe(timers + 1);
  heard.splice(0);
  const pass = (milliseconds: number) => {
    clock.advance(milliseconds);
    vi.advanceTimersByTime(milliseconds);
  };
  for (const seconds of [1, 2, 3]) {
    pass(1_000);
    expect(heard).toHaveLength(seconds);
    expect(takeAll(queue, "low")).toHaveLength(1);
  }
  pass(VISIBILITY + 1_000);
  expect(takeAll(queue, "low")).toHaveLength(3);
});

/** The values of all rows of entries. */
function everyEntry(store: Awaited<ReturnType<typeof aStore>>): string[] {
  const all = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };
  return store.range("entries", all).map(({ value }) => value);
}
