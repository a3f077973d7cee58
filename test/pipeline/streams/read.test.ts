import { expect, test } from "vitest";
import { append } from "../../../shared/pipeline/streams/append.ts";
import { readHistory, readLast, readSince } from "../../../shared/pipeline/streams/read.ts";
import { ensureStarted } from "../../../shared/pipeline/streams/start.ts";
import { replyBytes } from "../../../shared/streams/reply.ts";
import { frameOf, framesOf, HOUR, idsOf, ORDERS, oneStream, RETENTION, RUN, START } from "./support.ts";

const ALL = 122_880;
const LETTERS = ["a", "b", "c", "d", "e"];

/** A stream with the messages a to e at START to START + 4, in rows of two, one and two. */
async function fiveMessages(retention = RETENTION) {
  const stream = oneStream();
  for (const row of [["a", "b"], ["c"], ["d", "e"]]) {
    await append(stream.deps, ORDERS, retention, RUN, framesOf(...row));
  }
  stream.calls.length = 0;
  return stream;
}

test.each([-1, 0, 1, 2, 3, 4])("since %i a subscriber gets all that followed", async (at) => {
  const { deps } = await fiveMessages();
  const reply = await readSince(deps, ORDERS, RETENTION, START + at, ALL);
  expect(idsOf(reply.messages)).toEqual(LETTERS.slice(at + 1));
  expect(reply.messages.map(({ seq }) => seq)).toEqual(LETTERS.map((_, i) => START + i).slice(at + 1));
  expect(reply).toMatchObject({ position: START + 4, recovered: true, more: false, gap: false });
});

test.each([
  { why: "lies above the head", since: START + 5 },
  { why: "lies before the start", since: START - 2 },
  { why: "is 0", since: 0 },
])("a position that $why is not recovered: the reply has the present one", async ({ since }) => {
  const { deps } = await fiveMessages();
  const lost = { messages: [], position: START + 4, recovered: false, more: false, gap: true };
  expect(await readSince(deps, ORDERS, RETENTION, since, ALL)).toEqual(lost);
});

test.each([
  { missed: "none", at: 4, calls: ["last"] },
  { missed: "what is in the last row", at: 2, calls: ["last"] },
  { missed: "more", at: 1, calls: ["last", "read"] },
])("a subscriber that missed $missed costs $calls", async ({ at, calls }) => {
  const { deps, calls: made } = await fiveMessages();
  await readSince(deps, ORDERS, RETENTION, START + at, ALL);
  expect(made).toEqual(calls);
});

test("a position of as many messages ago as are kept is recovered, one more is not", async () => {
  const { deps } = await fiveMessages();
  const keeps = (count: number, since: number) =>
    readSince(deps, ORDERS, { seconds: 3_600, count }, since, ALL);
  expect(await keeps(3, START + 1)).toMatchObject({ recovered: true, position: START + 4 });
  expect(await keeps(3, START)).toMatchObject({ recovered: false, position: START + 4, messages: [] });
});

test("messages past their seconds are not given out, and a position before them is not recovered", async () => {
  const { deps, clock } = await fiveMessages();
  clock.advance(HOUR - 1);
  expect(await readSince(deps, ORDERS, RETENTION, START, ALL)).toMatchObject({ recovered: true });
  await append(deps, ORDERS, RETENTION, RUN, framesOf("f"));
  clock.advance(1);
  const lost = await readSince(deps, ORDERS, RETENTION, START + 3, ALL);
  expect(lost).toMatchObject({ recovered: false, messages: [], position: START + 5 });
  expect(await readSince(deps, ORDERS, RETENTION, START + 4, ALL)).toMatchObject({ recovered: true });
  const kept = await readHistory(deps, ORDERS, RETENTION, START, ALL);
  expect(kept).toMatchObject({ gap: true, position: START + 5, more: false });
  expect(idsOf(kept.messages)).toEqual(["f"]);
});

test("an idle stream goes on proving that nothing was missed", async () => {
  const { deps, clock, memory } = await fiveMessages();
  let position = START + 4;
  for (let hours = 0; hours < 24 * 7; hours += 5) {
    clock.advance(5 * HOUR);
    memory.expire(clock.now());
    const reply = await readSince(deps, ORDERS, RETENTION, position, ALL);
    expect(reply).toMatchObject({ messages: [], recovered: true, more: false });
    position = reply.position;
  }
  expect(position).toBeGreaterThan(START + 4);
});

test("a stream that started again recovers no position of before, even if no row of it is left", async () => {
  const { deps, clock, memory } = await fiveMessages();
  clock.advance(30 * HOUR);
  const again = await readSince(deps, ORDERS, RETENTION, START + 4, ALL);
  expect(again).toMatchObject({ recovered: false, position: clock.now() * 1000 - 1 });
  memory.expire(clock.now());
  expect(await readSince(deps, ORDERS, RETENTION, START + 4, ALL)).toEqual(again);
  expect(await readSince(deps, ORDERS, RETENTION, again.position, ALL)).toMatchObject({ recovered: true });
});

test("a hole is a loss: for a subscriber all, for the history what is before it", async () => {
  const { deps, clock, memory } = await fiveMessages();
  clock.advance(HOUR - 1);
  const young = { seconds: 200 * 3_600, count: 100 };
  await append(deps, ORDERS, young, RUN, framesOf("f"));
  clock.advance(30 * HOUR);
  await append(deps, ORDERS, young, RUN, framesOf("g"));
  memory.expire(clock.now(), ({ seq }) => seq === START + 2);
  expect(memory.rowsOf(ORDERS)).toHaveLength(5);
  expect(await readSince(deps, ORDERS, young, START + 1, ALL)).toMatchObject({ recovered: false });
  const kept = await readHistory(deps, ORDERS, young, START + 1, ALL);
  expect(kept).toMatchObject({ gap: true, position: START + 6 });
  expect(idsOf(kept.messages)).toEqual(["f", "g"]);
});

test("the history ends before a hole, and the next one begins after it with a gap", async () => {
  const { deps, memory } = await fiveMessages();
  memory.expire(Number.POSITIVE_INFINITY, ({ seq }) => seq === START + 2);
  const before = await readHistory(deps, ORDERS, RETENTION, START - 1, ALL);
  expect(idsOf(before.messages)).toEqual(["a", "b"]);
  expect(before).toMatchObject({ position: START + 1, gap: false, more: true });
  const after = await readHistory(deps, ORDERS, RETENTION, before.position, ALL);
  expect(idsOf(after.messages)).toEqual(["d", "e"]);
  expect(after).toMatchObject({ position: START + 4, gap: true, more: false });
});

test("a reply holds what fits it, and the history goes on from its position until there is no more", async () => {
  const { deps } = await fiveMessages();
  const budget = replyBytes(frameOf("a")) * 2;
  const first = await readSince(deps, ORDERS, RETENTION, START - 1, budget);
  expect(idsOf(first.messages)).toEqual(["a", "b"]);
  expect(first).toMatchObject({ position: START + 1, recovered: true, more: true });
  const second = await readHistory(deps, ORDERS, RETENTION, first.position, budget);
  expect(idsOf(second.messages)).toEqual(["c", "d"]);
  expect(second).toMatchObject({ position: START + 3, more: true, gap: false });
  const third = await readHistory(deps, ORDERS, RETENTION, second.position, budget);
  expect(idsOf(third.messages)).toEqual(["e"]);
  expect(third).toMatchObject({ position: START + 4, more: false, gap: false });
});

test("with no room left a reply has no message, keeps the position and says that there is more", async () => {
  const { deps } = await fiveMessages();
  const reply = await readSince(deps, ORDERS, RETENTION, START + 3, 10);
  expect(reply).toMatchObject({ messages: [], position: START + 3, recovered: true, more: true });
});

test("a message that fits no reply comes without its data and counts as a gap", async () => {
  const { deps } = oneStream();
  await append(deps, ORDERS, RETENTION, RUN, [frameOf("a"), frameOf("large", "x".repeat(ALL)), frameOf("c")]);
  const reply = await readSince(deps, ORDERS, RETENTION, START - 1, ALL);
  expect(idsOf(reply.messages)).toEqual(["a", "large", "c"]);
  expect(JSON.parse(reply.messages[1]?.frame ?? "")).toMatchObject({ omitted: true });
  expect(reply).toMatchObject({ gap: true, position: START + 2 });
  expect(await readHistory(deps, ORDERS, RETENTION, START, ALL)).toMatchObject({ gap: true });
  expect(await readHistory(deps, ORDERS, RETENTION, START + 1, ALL)).toMatchObject({ gap: false });
});

test("the history begins at the oldest kept message if it is asked for older ones", async () => {
  const { deps } = await fiveMessages();
  const two = { seconds: 3_600, count: 2 };
  const reply = await readHistory(deps, ORDERS, two, START, ALL);
  expect(idsOf(reply.messages)).toEqual(["d", "e"]);
  expect(reply).toMatchObject({ gap: true, position: START + 4 });
  expect(reply.recovered).toBe(false);
  for (const since of [START + 2, START + 4]) {
    expect(await readHistory(deps, ORDERS, two, since, ALL)).toMatchObject({ gap: false, recovered: true });
  }
  expect(await readHistory(deps, ORDERS, RETENTION, 0, ALL)).toMatchObject({
    gap: true,
    position: START + 4,
  });
  expect(await readHistory(deps, ORDERS, RETENTION, START + 9, ALL)).toMatchObject({
    ...{ messages: [], gap: true, position: START + 4, more: false, recovered: false },
  });
});

test.each([
  { count: 1, ids: ["e"] },
  { count: 2, ids: ["d", "e"] },
  { count: 4, ids: ["b", "c", "d", "e"] },
  { count: 50, ids: LETTERS },
])("the last $count messages are $ids", async ({ count, ids }) => {
  const { deps } = await fiveMessages();
  const reply = await readLast(deps, ORDERS, RETENTION, count, ALL);
  expect(idsOf(reply.messages)).toEqual(ids);
  expect(reply).toMatchObject({ position: START + 4, more: false, gap: false });
});

test("the last messages are those that were sent last, though the reply has room for no more than them", async () => {
  const { deps } = await fiveMessages();
  const budget = replyBytes(frameOf("a")) * 2;
  const reply = await readLast(deps, ORDERS, RETENTION, 2, budget);
  expect(idsOf(reply.messages)).toEqual(["d", "e"]);
  expect(reply).toMatchObject({ position: START + 4, more: false, gap: false });
});

test("the last messages cost one read beside the head's, if all of them have data", async () => {
  const { deps, calls } = oneStream();
  for (const digit of LETTERS) await append(deps, ORDERS, RETENTION, RUN, framesOf(...LETTERS, digit));
  calls.length = 0;
  expect((await readLast(deps, ORDERS, RETENTION, 20, ALL)).messages).toHaveLength(20);
  expect(calls).toEqual(["last", "read"]);
});

test("the latest value is found behind numbers without data, and is none if it is past its seconds", async () => {
  const { deps, clock } = await fiveMessages();
  for (let i = 0; i < 7; i++) await append(deps, ORDERS, RETENTION, RUN, [""]);
  const reply = await readLast(deps, ORDERS, RETENTION, 1, ALL);
  expect(idsOf(reply.messages)).toEqual(["e"]);
  expect(reply.position).toBe(START + 11);
  clock.advance(HOUR);
  expect(await readLast(deps, ORDERS, RETENTION, 1, ALL)).toMatchObject({
    messages: [],
    position: START + 11,
  });
});

test("a stream that nobody has started is started by any read", async () => {
  for (const read of [readSince, readHistory, readLast]) {
    const { deps } = oneStream();
    const reply = await read(deps, ORDERS, RETENTION, 5, ALL);
    expect(reply).toMatchObject({ messages: [], position: START - 1 });
    expect(await ensureStarted(deps, ORDERS, RETENTION)).toBe(START - 1);
  }
});

test("ten thousand missed messages are read in replies that are full, at little more than what they hold", async () => {
  const { deps, memory } = oneStream();
  const keep = { seconds: 3_600, count: 10_000 };
  const frame = frameOf("m", "x".repeat(950));
  const frames = Array.from({ length: 10 }, () => frame);
  for (let i = 0; i < 1_000; i++) await append(deps, ORDERS, keep, RUN, frames);
  let read = 0;
  const streams = {
    ...deps.streams,
    read: async (...args: Parameters<typeof memory.read>) => {
      const page = await memory.read(...args);
      read += page.rows.flatMap(({ messages }) => messages).length;
      return page;
    },
  };
  let position = START - 1;
  let replies = 0;
  for (let more = true; more; replies++) {
    const reply = await readHistory({ ...deps, streams }, ORDERS, keep, position, ALL);
    expect(reply.messages[0]?.seq).toBe(position + 1);
    expect(reply.messages.length).toBe(reply.position - position);
    ({ position, more } = reply);
    expect(reply.gap).toBe(false);
  }
  expect(position).toBe(START + 9_999);
  expect(replies).toBe(Math.ceil(10_000 / Math.floor(ALL / replyBytes(frame))));
  expect(read).toBeLessThan(13_000);
});

test("pages that end before the asked number do not end the read, and no row is read twice", async () => {
  const { deps, memory } = oneStream({ pageBytes: 2_000 });
  const large = (id: string) => frameOf(id, "x".repeat(900));
  const ids = Array.from({ length: 20 }, (_, i) => `m${i}`);
  for (const id of ids) await append(deps, ORDERS, RETENTION, RUN, [large(id)]);
  const read: number[] = [];
  const streams = {
    ...deps.streams,
    read: async (...args: Parameters<typeof memory.read>) => {
      const page = await memory.read(...args);
      read.push(...page.rows.map(({ seq }) => seq));
      return page;
    },
  };
  const reply = await readSince({ ...deps, streams }, ORDERS, RETENTION, START + 11, ALL);
  expect(idsOf(reply.messages)).toEqual(ids.slice(12));
  expect(read).toEqual([...new Set(read)]);
  expect(reply).toMatchObject({ recovered: true, more: false });
});
