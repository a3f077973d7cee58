import { describe, expect, test } from "vitest";
import { type Step, stream } from "../../client/stream.ts";

interface Numbered {
  readonly seq?: number;
  readonly omitted?: boolean;
}
const m = (seq: number): Numbered => ({ seq });
const told = (steps: readonly Step<Numbered>[]): unknown[] =>
  steps.map((step) => (step.kind === "message" ? step.message.seq : [step.since, step.position]));
const none = { messages: [] };

describe("a subscription that begins", () => {
  test("stands where the first reply says, and drops what lies at or below", () => {
    const it = stream();
    expect(it.live(m(5))).toEqual([]);
    expect(it.live(m(7))).toEqual([]);
    expect(told(it.subscribed({ ...none, position: 6 }))).toEqual([7]);
    expect(it.position()).toBe(7);
    expect(told(it.live(m(6)))).toEqual([]);
  });

  test("without a stream hands on what came before the reply, as it came", () => {
    const it = stream();
    expect(it.live({})).toEqual([]);
    expect(it.subscribed(none)).toHaveLength(1);
    expect(it.live({})).toHaveLength(1);
    expect(it.position()).toBeUndefined();
    expect(it.hasHole()).toBe(false);
  });

  test("of a stream that is switched on later hands on what comes, and has no position until the next reply", () => {
    const it = stream();
    it.subscribed(none);
    expect(told([...it.live(m(9)), ...it.live(m(8))])).toEqual([9, 8]);
    expect(it.position()).toBeUndefined();
    it.subscribed({ ...none, position: 12 });
    expect(it.position()).toBe(12);
  });
});

describe("live messages", () => {
  const at4 = () => {
    const it = stream<Numbered>();
    it.subscribed({ ...none, position: 4 });
    return it;
  };

  test("are handed on by their numbers, once", () => {
    const it = at4();
    const steps = [5, 5, 7, 4, 6, 6, 8].flatMap((seq) => told(it.live(m(seq))));
    expect(steps).toEqual([5, 6, 7, 8]);
  });

  test("wait behind a hole, which history fills, and numbers without data are passed over", () => {
    const it = at4();
    it.live(m(8));
    expect(it.hasHole()).toBe(true);
    expect(told(it.history({ messages: [m(6)], position: 7 }, 4))).toEqual([6, 8]);
    expect(it.hasHole()).toBe(false);
  });

  test("that came and were cancelled since are handed on all the same", () => {
    const it = at4();
    it.live(m(6));
    expect(told(it.history({ messages: [m(5)], position: 6 }, 4))).toEqual([5, 6]);
  });

  test("of a page that is not the last leave a hole until the next page", () => {
    const it = at4();
    expect(told(it.history({ messages: [m(5)], position: 5, more: true }, 4))).toEqual([5]);
    expect(it.hasHole()).toBe(true);
    expect(told(it.history({ messages: [], position: 6 }, 5))).toEqual([]);
    expect(it.hasHole()).toBe(false);
  });

  test("that a pong knows of and that never came are a hole", () => {
    const it = at4();
    it.head(4);
    expect(it.hasHole()).toBe(false);
    it.head(5);
    expect(it.hasHole()).toBe(true);
  });
});

describe("after a cut", () => {
  const at = (position: number) => stream<Numbered>(position);

  test.each<{
    why: string;
    run: (it: ReturnType<typeof at>) => readonly Step<Numbered>[];
    gives: unknown[];
    ends: number | undefined;
  }>([
    {
      why: "all that was missed is in the reply",
      run: (it) => it.subscribed({ messages: [m(5), m(6)], position: 6, recovered: true }, 4),
      gives: [5, 6],
      ends: 6,
    },
    {
      why: "nothing was missed",
      run: (it) => it.subscribed({ ...none, position: 4, recovered: true }, 4),
      gives: [],
      ends: 4,
    },
    {
      why: "what was missed is not kept: a gap up to the head",
      run: (it) => it.subscribed({ ...none, position: 9, recovered: false }, 4),
      gives: [[4, 9]],
      ends: 9,
    },
    {
      why: "the position lies above the head: a gap, and a lower position",
      run: (it) => it.subscribed({ ...none, position: 2, recovered: false }, 4),
      gives: [[4, 2]],
      ends: 2,
    },
    {
      why: "the stream was switched off: a gap without a position",
      run: (it) => it.subscribed({ ...none, recovered: false }, 4),
      gives: [[4, undefined]],
      ends: undefined,
    },
    {
      why: "history begins at the oldest kept: a gap up to it",
      run: (it) => it.history({ messages: [m(7), m(9)], position: 9, gap: true }, 4),
      gives: [[4, 6], 7, 9],
      ends: 9,
    },
    {
      why: "history has nothing any more: a gap up to the head",
      run: (it) => it.history({ ...none, position: 9, gap: true }, 4),
      gives: [[4, 9]],
      ends: 9,
    },
    {
      why: "history from above the head: a gap, and a lower position",
      run: (it) => it.history({ ...none, position: 2, gap: true }, 4),
      gives: [[4, 2]],
      ends: 2,
    },
    {
      why: "history's gap is none, as the first kept is the next",
      run: (it) => it.history({ messages: [m(5)], position: 5, gap: true }, 4),
      gives: [5],
      ends: 5,
    },
    {
      why: "a kept message that fits no reply is a gap of one",
      run: (it) => it.history({ messages: [m(5), { seq: 6, omitted: true }, m(7)], position: 7 }, 4),
      gives: [5, [5, 6], 7],
      ends: 7,
    },
    {
      why: "history cannot be asked: a gap up to what is there",
      run: (it) => [...it.live(m(7)), ...it.abandon(4)],
      gives: [[4, 6], 7],
      ends: 7,
    },
    { why: "history cannot be asked and nothing is missing", run: (it) => it.abandon(4), gives: [], ends: 4 },
  ])("$why", ({ run, gives, ends }) => {
    const it = at(4);
    expect(told(run(it))).toEqual(gives);
    expect(it.position()).toBe(ends);
  });

  test("a gap is signalled only if the position is still the one asked from; else what is missing is looked for", () => {
    const it = at(4);
    it.live(m(5));
    expect(told(it.subscribed({ ...none, position: 6, recovered: false }, 4))).toEqual([]);
    expect(it.hasHole()).toBe(true);
    expect(told(it.live(m(6)))).toEqual([6]);
    expect(it.hasHole()).toBe(false);
  });

  test("an old gap of history does not bring the position back, and its messages are taken by their numbers", () => {
    const it = at(4);
    it.live(m(5));
    expect(told(it.history({ messages: [m(7)], position: 7, gap: true }, 4))).toEqual([]);
    expect(told(it.live(m(6)))).toEqual([6, 7]);
  });

  test("a whole message is preferred to one that fitted no reply", () => {
    const it = at(4);
    it.live(m(6));
    expect(told(it.history({ messages: [m(5), { seq: 6, omitted: true }], position: 6 }, 4))).toEqual([5, 6]);
  });
});

test("a reply to a question from a place that it has left since does not set the position", () => {
  const it = stream(100);
  // The stream began anew while the question was under way.
  expect(told(it.subscribed({ ...none, position: 10, recovered: false }, 100))).toEqual([[100, 10]]);
  expect(told(it.history({ ...none, position: 120 }, 100))).toEqual([]);
  expect(it.position()).toBe(10);
});
