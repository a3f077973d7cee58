import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { type Tally, type TallyOptions, tally } from "../../bench/peers/tally.ts";

const open = (options: TallyOptions): Tally => {
  const opened = tally(options);
  onTestFinished(() => opened.close());
  return opened;
};

/** Its faults are read from `fault`. */
const expecting = (counts: Tally, ...numbers: number[]) =>
  Promise.allSettled(numbers.map((number) => counts.expect(number)));

test("a message has arrived once each socket has it, and each frame has a time", async () => {
  const counts = open({ sockets: 2 });
  const all = expecting(counts, 1, 2);
  for (const [socket, number] of [
    [0, 2],
    [1, 1],
    [0, 1],
    [1, 2],
  ] as const) {
    counts.got(socket, number);
  }
  expect((await all).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
  expect(counts.times).toHaveLength(4);
  expect(counts.times.every((time) => time >= 0)).toBe(true);
  counts.clear();
  expect(counts.times).toEqual([]);
});

test.each([
  {
    what: "a message comes that nobody sent",
    frames: [[1, 9]],
    says: /socket 1 got message 9, which nobody sent/,
  },
  { what: "a frame is not whole", frames: [[0, Number.NaN]], says: /got message NaN/ },
  {
    what: "a frame comes out of order",
    ordered: true,
    frames: [
      [0, 2],
      [0, 1],
    ],
    says: /socket 0 got message 1 after 2/,
  },
])("it is a fault that $what", async ({ ordered = false, frames, says }) => {
  const counts = open({ sockets: 2, ordered });
  const all = expecting(counts, 1, 2);
  for (const [socket = 0, number = 0] of frames) counts.got(socket, number);
  expect(counts.fault?.message).toMatch(says);
  expect((await all).some(({ status }) => status === "rejected")).toBe(true);
  await expect(counts.expect(3)).rejects.toThrow(says);
});

test("a frame that comes again is counted, and changes nothing else", async () => {
  const counts = open({ sockets: 2, ordered: true });
  const all = expecting(counts, 1, 2);
  for (const number of [1, 1, 2, 1]) counts.got(0, number);
  expect(counts.repeats).toBe(2);
  for (const number of [1, 2, 2]) counts.got(1, number);
  expect((await all).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
  expect(counts.repeats).toBe(3);
  expect(counts.times).toHaveLength(4);
  expect(counts.fault).toBeUndefined();
});

test("what is missing after a while without frames is lost", async () => {
  const counts = open({ sockets: 3, patience: 20 });
  const all = expecting(counts, 1, 2);
  for (const socket of [0, 1, 2]) counts.got(socket, 1);
  counts.got(0, 2);
  const [first, second] = await all;
  expect(first?.status).toBe("fulfilled");
  expect(second?.status).toBe("rejected");
  expect(counts.fault?.message).toMatch(/lost 2 frames, 2 of 3 of message 2/);
});

test("whatever the order of frames, all is well only if each socket got each message", async () => {
  const all = [0, 1, 2].flatMap((socket) => [1, 2, 3].map((number) => [socket, number] as const));
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(all, { minLength: all.length - 1 }),
      fc.array(fc.nat(all.length - 2)),
      async (frames, repeated) => {
        const counts = tally({ sockets: 3, patience: 20 });
        const arrived = expecting(counts, 1, 2, 3);
        for (const [socket, number] of frames) counts.got(socket, number);
        for (const i of repeated) counts.got(frames[i]?.[0] ?? 0, frames[i]?.[1] ?? 0);
        const isWell =
          (await arrived).every(({ status }) => status === "fulfilled") && counts.fault === undefined;
        counts.close();
        expect(isWell).toBe(frames.length === all.length);
        expect(counts.repeats).toBe(repeated.length);
      },
    ),
    { numRuns: 30 },
  );
});
