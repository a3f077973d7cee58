import { expect, test } from "vitest";
import { append } from "../../../shared/pipeline/streams/append.ts";
import { headOf } from "../../../shared/pipeline/streams/head.ts";
import { ensureStarted } from "../../../shared/pipeline/streams/start.ts";
import { inEveryOrder, interleave } from "../../support/interleave.ts";
import { framesOf, HOUR, idsOf, ORDERS, oneStream, RETENTION, RUN, START } from "./support.ts";

/** Messages of 1 h, kept a day more: they count as a head for 19 h. */
const COUNTED = 19 * HOUR;

const ids = ({ messages }: { messages: readonly string[] }) => idsOf(messages.map((frame) => ({ frame })));

test("a stream without a head starts at the microseconds of the clock, and its start is its first position", async () => {
  const { deps, memory } = oneStream();
  expect(await headOf(deps, ORDERS)).toBeUndefined();
  expect(await ensureStarted(deps, ORDERS, RETENTION)).toBe(START - 1);
  expect(await headOf(deps, ORDERS)).toBe(START - 1);
  expect(await append(deps, ORDERS, RETENTION, RUN, framesOf("a"))).toEqual([START]);
  expect(await ensureStarted(deps, ORDERS, RETENTION)).toBe(START);
  expect(memory.rowsOf(ORDERS)).toHaveLength(2);
});

test.each([
  { after: COUNTED - 6 * HOUR - 1, is: "far from its limit", rows: 0 },
  { after: COUNTED - 6 * HOUR, is: "in the last 6 h before its limit", rows: 1 },
  { after: COUNTED - 1, is: "about to reach its limit", rows: 1 },
])("a subscriber to a stream whose head is $is writes $rows rows", async ({ after, rows }) => {
  const { deps, clock, memory } = oneStream();
  const [number = 0] = await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  clock.advance(after);
  expect(await ensureStarted(deps, ORDERS, RETENTION)).toBe(number + rows);
  expect(
    memory
      .rowsOf(ORDERS)
      .slice(2)
      .map(({ messages }) => messages),
  ).toEqual(rows === 0 ? [] : [[""]]);
});

test("two subscribers that append the number without data at once get one position", async () => {
  await inEveryOrder(async (choose) => {
    const { deps, clock } = oneStream();
    const [number = 0] = await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
    clock.advance(COUNTED - 1);
    const positions = await interleave(
      [1, 2].map(
        () => (stepwise) => ensureStarted({ ...deps, streams: stepwise(deps.streams) }, ORDERS, RETENTION),
      ),
      choose,
    );
    expect(positions).toEqual([number + 1, number + 1]);
  });
});

test("a stream whose head no longer counts starts again above it, behind a blocker", async () => {
  const { deps, clock, memory } = oneStream();
  const [old = 0] = await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  clock.advance(COUNTED);
  expect(await headOf(deps, ORDERS)).toBeUndefined();
  const position = await ensureStarted(deps, ORDERS, RETENTION);
  expect(position).toBe(clock.now() * 1000 - 1);
  expect(memory.rowsOf(ORDERS).map(({ seq, next, messages }) => [seq, next, messages.length])).toEqual([
    [0, position + 1, 0],
    [old, old + 1, 1],
    [old + 1, old + 1, 0],
  ]);
  expect(await headOf(deps, ORDERS)).toBe(position);
  expect(await append(deps, ORDERS, RETENTION, RUN, framesOf("b"))).toEqual([position + 1]);
});

test("a new start is kept as long as the blocker of one who died before it, be the new retention shorter", async () => {
  const { deps, clock, memory } = oneStream();
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  clock.advance(COUNTED);
  const dying = { ...deps.streams, start: () => Promise.reject(new Error("died")) };
  const week = { ...RETENTION, seconds: 7 * 24 * 3_600 };
  await expect(ensureStarted({ ...deps, streams: dying }, ORDERS, week)).rejects.toThrow("died");
  await ensureStarted(deps, ORDERS, RETENTION);
  const [root, , blocker] = memory.rowsOf(ORDERS);
  expect(blocker?.expiresAt).toBe(clock.now() + 8 * 24 * HOUR);
  expect(root?.expiresAt).toBe(blocker?.expiresAt);
});

test("a starter whose clock is behind starts above all numbers that are there", async () => {
  const { deps, clock, memory } = oneStream();
  const future = START + 1_000 * HOUR * 1000;
  const times = { at: 0, until: 0, expiresAt: clock.now() };
  await memory.append(ORDERS, { seq: future, next: future + 1, messages: ["{}"], ...times });
  expect(await ensureStarted(deps, ORDERS, RETENTION)).toBe(future + 1);
});

test("a root to which nothing was appended ends like any head", async () => {
  const { deps, clock, memory } = oneStream();
  const first = await ensureStarted(deps, ORDERS, RETENTION);
  clock.advance(COUNTED);
  const second = await ensureStarted(deps, ORDERS, RETENTION);
  clock.advance(COUNTED);
  const third = await ensureStarted(deps, ORDERS, RETENTION);
  expect(memory.rowsOf(ORDERS).map(({ seq }) => seq)).toEqual([0, first + 1, second + 1]);
  expect(third).toBeGreaterThan(second + 1);
});

// One clock is a minute ahead: to it the head no longer counts, to the other it does.
test("two starters, two clocks and a run that goes on from the old head: one start in every order", async () => {
  let starts = 0;
  const count = await inEveryOrder(async (choose) => {
    const { container, clock, memory } = oneStream();
    const [old = 0] = await append(container(), ORDERS, RETENTION, RUN, framesOf("a"));
    clock.advance(COUNTED - 30_000);
    const ahead = { ...clock, now: () => clock.now() + 60_000 };
    const results = await interleave<readonly number[]>(
      [
        async (stepwise) => [
          await ensureStarted({ ...container(), clock: ahead, streams: stepwise(memory) }, ORDERS, RETENTION),
        ],
        (stepwise) =>
          append(
            { ...container(), streams: stepwise(memory) },
            ORDERS,
            RETENTION,
            { ...RUN, id: "b" },
            framesOf("b"),
          ),
      ],
      choose,
    );
    const [[position = 0] = [], [number = 0] = []] = results;
    const head = await headOf(container(), ORDERS);
    expect(head).toBe(Math.max(position, number));
    const restarted = number !== old + 1;
    if (restarted) starts++;
    // A number in the old part is found by the starter, which then starts nothing.
    expect([number, number - 1]).toContain(position);
    expect(memory.rowsOf(ORDERS)[0]?.next === START).toBe(!restarted);
    const texts = memory.rowsOf(ORDERS).flatMap(ids);
    expect(texts).toEqual(["a", "b"]);
  });
  expect(count).toBeGreaterThan(5);
  expect(starts).toBeGreaterThan(0);
  expect(starts).toBeLessThan(count);
});

test("three that start at once get one start, whoever dies on the way", async () => {
  let died = 0;
  for (const after of [0, 1, 2, 3, 4]) {
    for (let seed = 0; seed < 40; seed++) {
      const { container, clock, memory } = oneStream();
      await append(container(), ORDERS, RETENTION, RUN, framesOf("a"));
      clock.advance(COUNTED);
      let turn = seed;
      const choose = (candidates: number) => {
        turn = (turn * 1_103_515_245 + 12_345) % 2_147_483_648;
        return (turn >> 8) % candidates;
      };
      const skews = [0, 5_000, -5_000];
      const positions = await interleave(
        skews.map((skew) => (stepwise) => {
          const skewed = { ...clock, now: () => clock.now() + skew };
          return ensureStarted(
            { ...container(), clock: skewed, streams: stepwise(memory) },
            ORDERS,
            RETENTION,
          );
        }),
        choose,
        { actor: 0, after },
      );
      const living = positions.filter((position) => position !== undefined);
      if (living.length === 2) died++;
      expect(new Set(living).size).toBe(1);
      expect(await headOf(container(), ORDERS)).toBe(living[0]);
    }
  }
  expect(died).toBeGreaterThan(40);
});

test("a run with the old head in memory meets the blocker, and goes on at the new start", async () => {
  const { deps, container, clock, calls } = oneStream();
  for (const name of ["a", "b", "c"]) await append(deps, ORDERS, RETENTION, RUN, framesOf(name));
  clock.advance(COUNTED);
  const position = await ensureStarted(container(), ORDERS, RETENTION);
  const slow = { ...deps, clock: { ...clock, now: () => clock.now() - 60_000 } };
  calls.length = 0;
  const numbers = await append(slow, ORDERS, RETENTION, { ...RUN, id: "slow" }, framesOf("d"));
  expect(numbers).toEqual([position + 1]);
  expect(calls).toEqual(["append", "last", "root", "append"]);
});

test("rows that are deleted late and in any order bring no number back", async () => {
  const { deps, clock, memory } = oneStream();
  for (const name of ["a", "b", "c"]) await append(deps, ORDERS, RETENTION, RUN, framesOf(name));
  clock.advance(26 * HOUR);
  memory.expire(clock.now(), ({ seq }) => seq > START || seq === 0);
  expect(memory.rowsOf(ORDERS).map(({ seq }) => seq)).toEqual([START]);
  const position = await ensureStarted(deps, ORDERS, RETENTION);
  expect(position).toBe(clock.now() * 1000 - 1);
});
