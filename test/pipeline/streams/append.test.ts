import { expect, test } from "vitest";
import { append } from "../../../shared/pipeline/streams/append.ts";
import { emptyMessage } from "../../../shared/pipeline/streams/empty.ts";
import { findAppended } from "../../../shared/pipeline/streams/find.ts";
import { headOf } from "../../../shared/pipeline/streams/head.ts";
import { readLast } from "../../../shared/pipeline/streams/read.ts";
import { ensureStarted } from "../../../shared/pipeline/streams/start.ts";
import type { MessageId } from "../../../shared/protocol/message.ts";
import { frameOf, framesOf, HOUR, idsOf, ORDERS, oneStream, RETENTION, RUN, START } from "./support.ts";

const id = (text: string) => text as MessageId;

test("the messages of a run are one row, and runs go on where the last one ended", async () => {
  const { deps, memory, calls } = oneStream();
  expect(await append(deps, ORDERS, RETENTION, RUN, framesOf("a", "b", "c"))).toEqual([
    ...[START, START + 1, START + 2],
  ]);
  expect(await append(deps, ORDERS, RETENTION, { ...RUN, id: "run-2" }, framesOf("d"))).toEqual([START + 3]);
  expect(calls).toEqual(["last", "start", "append", "last", "append"]);
  expect(memory.rowsOf(ORDERS).map(({ seq, next, run }) => [seq, next, run])).toEqual([
    [0, START, undefined],
    [START, START + 3, "run-1"],
    [START + 3, START + 4, "run-2"],
  ]);
});

test("eleven messages are two rows with dense numbers", async () => {
  const { deps, memory } = oneStream();
  const ids = Array.from({ length: 11 }, (_, i) => `m${i}`);
  const numbers = await append(deps, ORDERS, RETENTION, RUN, framesOf(...ids));
  expect(numbers).toEqual(ids.map((_, i) => START + i));
  expect(memory.rowsOf(ORDERS).map(({ messages }) => messages.length)).toEqual([0, 10, 1]);
});

test("a container that appends alone reads no head from its third append on", async () => {
  const { deps, calls } = oneStream();
  for (const name of ["a", "b", "c", "d"]) await append(deps, ORDERS, RETENTION, RUN, framesOf(name));
  expect(calls.slice(3)).toEqual(["last", "append", "append", "append"]);
});

test("a container that appended alone until another one came reads the head again", async () => {
  const { deps, container, calls, memory } = oneStream();
  for (const name of ["a", "b", "c"]) await append(deps, ORDERS, RETENTION, RUN, framesOf(name));
  await append(container(), ORDERS, RETENTION, { ...RUN, id: "other" }, framesOf("x"));
  calls.length = 0;
  await append(deps, ORDERS, RETENTION, RUN, framesOf("d"));
  await append(deps, ORDERS, RETENTION, RUN, framesOf("e"));
  expect(calls).toEqual(["append", "append", "last", "append"]);
  expect(
    memory.rowsOf(ORDERS).flatMap(({ messages }) => idsOf(messages.map((frame) => ({ frame })))),
  ).toEqual(["a", "b", "c", "x", "d", "e"]);
});

test("two rows in the way are gone on from at once, after more of them it waits and reads the head", async () => {
  const { deps, clock, memory, calls } = oneStream();
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  let others = 3;
  const pauses: number[] = [];
  const crowded = {
    ...deps.streams,
    append: async (...[stream, row]: Parameters<typeof memory.append>) => {
      if (others-- > 0) await memory.append(stream, { ...row, run: `other-${others}` });
      return deps.streams.append(stream, row);
    },
  };
  const pausing = { ...clock, pause: async (milliseconds: number) => void pauses.push(milliseconds) };
  calls.length = 0;
  await append({ ...deps, streams: crowded, clock: pausing }, ORDERS, RETENTION, RUN, framesOf("b"));
  expect(calls).toEqual(["last", "append", "append", "append", "last", "append"]);
  // 0 to 5 · 2² ms; `random` is 0.5.
  expect(pauses).toEqual([10]);
  expect(memory.rowsOf(ORDERS).at(-1)).toMatchObject({ seq: START + 4, run: RUN.id });
});

test("a remembered head that no longer counts is not gone on from", async () => {
  const { deps, clock, memory } = oneStream();
  for (const name of ["a", "b", "c"]) await append(deps, ORDERS, RETENTION, RUN, framesOf(name));
  clock.advance(19 * HOUR);
  const [number = 0] = await append(deps, ORDERS, RETENTION, RUN, framesOf("d"));
  expect(number).toBe(START + 19 * HOUR * 1000);
  expect(memory.rowsOf(ORDERS).map(({ seq }) => seq)).toEqual([
    ...[0, START, START + 1, START + 2],
    ...[START + 3, number],
  ]);
});

test("a put whose response was lost is found in the way and counts as written", async () => {
  const { deps, memory } = oneStream();
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  const repeating = {
    ...deps.streams,
    append: async (...args: Parameters<typeof memory.append>) => {
      await memory.append(...args);
      return memory.append(...args);
    },
  };
  const numbers = await append({ ...deps, streams: repeating }, ORDERS, RETENTION, RUN, framesOf("b", "c"));
  expect(numbers).toEqual([START + 1, START + 2]);
  expect(memory.rowsOf(ORDERS)).toHaveLength(3);
});

test("another row of the same run in the way is not taken for the one that is put", async () => {
  const { deps, memory } = oneStream();
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  // Both read the head before one of them writes.
  const { heads: _, ...forgetful } = deps;
  const numbers = await Promise.all(
    ["b", "c"].map((name) => append(forgetful, ORDERS, RETENTION, RUN, framesOf(name))),
  );
  expect(numbers.flat().toSorted()).toEqual([START + 1, START + 2]);
  expect(
    memory
      .rowsOf(ORDERS)
      .flatMap(({ messages }) => messages)
      .toSorted(),
  ).toEqual(framesOf("a", "b", "c"));
});

test("a run appends nothing after its own end, be it that it waited for others", async () => {
  const { deps, clock, memory } = oneStream();
  const run = { id: "late", end: clock.now() + 10 };
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  let others = 0;
  const crowded = {
    ...deps.streams,
    append: async (...[stream, row]: Parameters<typeof memory.append>) => {
      await memory.append(stream, { ...row, run: `other-${others++}` });
      return memory.append(stream, row);
    },
  };
  expect(await append({ ...deps, streams: crowded }, ORDERS, RETENTION, run, framesOf("b"))).toEqual([]);
  expect(memory.rowsOf(ORDERS).some((row) => row.run === "late")).toBe(false);
  expect(others).toBeGreaterThan(1);
  expect(clock.now() - run.end).toBeLessThan(60);
  const writes = memory.rowsOf(ORDERS).length;
  expect(await append(deps, ORDERS, RETENTION, run, framesOf("b"))).toEqual([]);
  expect(memory.rowsOf(ORDERS)).toHaveLength(writes);
});

test("if the table fails after the first row, the numbers of that row are returned", async () => {
  const { deps, memory } = oneStream();
  let puts = 0;
  const failing = {
    ...deps.streams,
    append: async (...args: Parameters<typeof memory.append>) => {
      if (++puts === 2) throw new Error("down");
      return memory.append(...args);
    },
  };
  const frames = Array.from({ length: 12 }, (_, i) => frameOf(`m${i}`));
  expect(await append({ ...deps, streams: failing }, ORDERS, RETENTION, RUN, frames)).toHaveLength(10);
  puts = 1;
  await expect(append({ ...deps, streams: failing }, ORDERS, RETENTION, RUN, frames)).rejects.toThrow("down");
});

test("a run that takes over finds what the run before it appended after the head that it knew", async () => {
  const { deps } = oneStream();
  expect(await findAppended(deps, ORDERS, undefined, frameOf("a"))).toBeUndefined();
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a", "b", "c"));
  const after = await headOf(deps, ORDERS);
  await append(deps, ORDERS, RETENTION, RUN, framesOf("d", "e"));
  expect(await findAppended(deps, ORDERS, after, frameOf("e"))).toBe(START + 4);
  expect(await findAppended(deps, ORDERS, START, frameOf("c"))).toBe(START + 2);
  expect(await findAppended(deps, ORDERS, after, frameOf("a"))).toBeUndefined();
  expect(await findAppended(deps, ORDERS, START + 2, frameOf("c"))).toBeUndefined();
  expect(await findAppended(deps, ORDERS, undefined, frameOf("a"))).toBe(START);
});

test("a run that knew no head does not find what stood before the stream's present start", async () => {
  const { deps, clock } = oneStream();
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  clock.advance(19 * HOUR);
  const position = await ensureStarted(deps, ORDERS, RETENTION);
  expect(await findAppended(deps, ORDERS, undefined, frameOf("a"))).toBeUndefined();
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  expect(await findAppended(deps, ORDERS, undefined, frameOf("a"))).toBe(position + 1);
});

test("a cancelled message is emptied by its number and id, and nothing else is", async () => {
  const { deps, memory } = oneStream();
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a", "b", "c"));
  expect(await emptyMessage(deps, ORDERS, START + 1, id("a"))).toBe(false);
  expect(await emptyMessage(deps, ORDERS, START + 3, id("c"))).toBe(false);
  expect(await emptyMessage(deps, ORDERS, START + 1, id("b"))).toBe(true);
  expect(await emptyMessage(deps, ORDERS, START + 1, id("b"))).toBe(false);
  expect(memory.rowsOf(ORDERS)[1]).toMatchObject({
    seq: START,
    next: START + 3,
    messages: [frameOf("a"), "", frameOf("c")],
  });
  expect(idsOf((await readLast(deps, ORDERS, RETENTION, 3, 1_000)).messages)).toEqual(["a", "c"]);
});

test("a message whose data has the id of a cancelled one is not emptied", async () => {
  const { deps, memory } = oneStream();
  await append(deps, ORDERS, RETENTION, RUN, [frameOf("a", "b"), frameOf("c", { id: "b" })]);
  for (const number of [START, START + 1]) {
    expect(await emptyMessage(deps, ORDERS, number, id("b"))).toBe(false);
  }
  expect(memory.rowsOf(ORDERS)[1]?.messages).toEqual([frameOf("a", "b"), frameOf("c", { id: "b" })]);
});
