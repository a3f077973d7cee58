import fc from "fast-check";
import { expect, test } from "vitest";
import { rememberedRows } from "../../../shared/pipeline/streams/remembered-rows.ts";
import type { Streams } from "../../../shared/ports.ts";
import { TagwireError } from "../../../shared/protocol/errors.ts";
import { rootAfter, rowAfter } from "../../../shared/streams/row.ts";
import type { StreamName, StreamRow } from "../../../shared/streams/stream.ts";
import { memoryClock } from "../../../testing/memory/clock.ts";
import { memoryStreams } from "../../../testing/memory/streams.ts";
import { NOW } from "../../support/message.ts";

const NEWS = "topic:news" as StreamName;
const WRITING = { now: NOW, retention: { seconds: 3_600, count: 1_000 } };

/** A stream whose table refuses reads while `isShort` is true, and how often its rows were read. */
function short() {
  const [table, clock] = [memoryStreams(), memoryClock(NOW)];
  const state = { isShort: false, reads: 0, head: rootAfter({ expiresAt: 0 }, WRITING) };
  const streams: Streams = {
    ...table,
    async read(...asked) {
      if (state.isShort) throw new TagwireError("TABLE_UNAVAILABLE", "throttled");
      state.reads++;
      return table.read(...asked);
    },
  };
  const append = async (messages: number) => {
    const texts = Array.from({ length: messages }, (_, i) => `m${state.head.next + i}`);
    const row = rowAfter(state.head, texts, { ...WRITING, run: "run" });
    await table.append(NEWS, row);
    state.head = row;
  };
  return { table, clock, state, append, remembered: rememberedRows(streams, clock) };
}

const step = fc.oneof(
  fc.record({ append: fc.integer({ min: 1, max: 10 }) }),
  fc.record({
    back: fc.integer({ min: 0, max: 40 }),
    length: fc.integer({ min: 0, max: 40 }),
    isShort: fc.boolean(),
  }),
  fc.record({ wait: fc.integer({ min: 0, max: 6_000 }) }),
);

test("what is remembered is what the table has: all of what was asked for, or the first of it", async () => {
  let served = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { table, clock, state, append, remembered } = short();
      const first = state.head.next;
      await append(1);
      for (const step of steps) {
        if ("append" in step) await append(step.append);
        else if ("wait" in step) clock.advance(step.wait);
        else {
          state.isShort = step.isShort;
          const end = state.head.next - 1;
          const from = Math.max(first, end - step.back);
          const to = Math.min(end, from + step.length);
          const page = await remembered.read(NEWS, from, to).catch(() => undefined);
          if (!page) continue;
          if (step.isShort) served++;
          const whole = await table.read(NEWS, from, to);
          expect(page.rows).toEqual(whole.rows.slice(0, page.rows.length));
          if (page.isComplete) expect(page.rows).toHaveLength(whole.rows.length);
        }
      }
    }),
    { numRuns: 1_000 },
  );
  expect(served).toBeGreaterThan(100);
});

/** A router from which many clients ask for the same, for which the table was read once. */
async function asked() {
  const one = short();
  for (let i = 0; i < 5; i++) await one.append(10);
  const end = one.state.head.next - 1;
  const ask = (): Promise<readonly StreamRow[]> =>
    one.remembered.read(NEWS, end - 49, end).then(({ rows }) => rows);
  await ask();
  return { ...one, ask };
}

test("while the table refuses nothing it is asked each time: a cancelled message is seen at once", async () => {
  const { state, ask } = await asked();
  await ask();
  expect(state.reads).toBe(2);
});

test("what the table refuses is served from memory, and for ten seconds it is spared", async () => {
  const { state, ask, clock } = await asked();
  state.isShort = true;
  expect(await ask()).toHaveLength(5);
  state.isShort = false;
  clock.advance(9_999);
  await ask();
  expect(state.reads).toBe(1);
  clock.advance(1);
  await ask();
  expect(state.reads).toBe(2);
});

test("what is not in memory is refused as the table refuses it, and it is spared then too", async () => {
  const { state, ask, append, remembered } = await asked();
  await append(1);
  const { next } = state.head;
  state.isShort = true;
  await expect(remembered.read(NEWS, next - 1, next - 1)).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
  });
  state.isShort = false;
  await ask();
  expect(state.reads).toBe(1);
});

test("rows are forgotten after ten seconds, whatever the table says", async () => {
  const { state, ask, clock } = await asked();
  state.isShort = true;
  clock.advance(10_001);
  await expect(ask()).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
});

test("a client that missed less takes nothing from those that missed more, while what they read is young", async () => {
  const { state, ask, clock, remembered } = await asked();
  const last = () => remembered.read(NEWS, state.head.next - 10, state.head.next - 1);
  clock.advance(4_999);
  await last();
  state.isShort = true;
  expect(await ask()).toHaveLength(5);
  state.isShort = false;
  clock.advance(10_001);
  await ask();
  clock.advance(5_000);
  await last();
  state.isShort = true;
  await expect(ask()).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
});

test("those that missed more are remembered in place of those that missed less", async () => {
  const { state, ask, remembered } = await asked();
  const { next } = state.head;
  await remembered.read(NEWS, next - 20, next - 1);
  await ask();
  state.isShort = true;
  expect(await ask()).toHaveLength(5);
});

test("sixteen streams are remembered: the one that was read longest ago is forgotten", async () => {
  const { table, state, remembered } = short();
  const names = Array.from({ length: 17 }, (_, i) => `topic:${i}` as StreamName);
  const row = rowAfter(state.head, ["m"], { ...WRITING, run: "run" });
  for (const name of names) await table.append(name, row);
  const read = (name: StreamName | undefined) => remembered.read(name ?? NEWS, row.seq, row.seq);
  for (const name of names) await read(name);
  state.isShort = true;
  await expect(read(names[0])).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
  for (const name of names.slice(1)) expect((await read(name)).rows).toEqual([row]);
});

test.each([
  { bytes: 1_000_000, isRemembered: true },
  { bytes: 1_000_001, isRemembered: false },
])("rows of $bytes bytes are remembered: $isRemembered", async ({ bytes, isRemembered }) => {
  const { table, state, remembered } = short();
  const texts = ["x".repeat(bytes - 7), "yy", "zzzzz"];
  const row = rowAfter(state.head, texts, { ...WRITING, run: "run" });
  await table.append(NEWS, row);
  const read = () => remembered.read(NEWS, row.seq, row.next - 1).then(({ rows }) => rows.length);
  await read();
  state.isShort = true;
  expect(await read().catch(() => 0)).toBe(isRemembered ? 1 : 0);
});
