import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Beat, type QuotaShare, quotaShare } from "../../../shared/pipeline/quota/share.ts";
import type { QuotaEntry } from "../../../shared/ports.ts";
import { NOW } from "../../support/message.ts";

const CAPACITY = 7_000;
const RUNS = 28;
/** Half of an even split. */
const UNANSWERED = CAPACITY / RUNS / 2;

/** A container whose clocks are moved by hand. */
function container(id = "b") {
  const time = { wall: NOW, monotonic: 5_000 };
  const pass = (milliseconds: number) => {
    time.wall += milliseconds;
    time.monotonic += milliseconds;
  };
  const clock = { now: () => time.wall, monotonic: () => time.monotonic };
  const share = quotaShare({ id, capacity: CAPACITY, runs: RUNS, clock });
  /** Half a second in which sends wait, and then a beat in which the others say this. */
  const beat = (others: readonly QuotaEntry[] = [], { waits = true, at = NOW } = {}): QuotaEntry => {
    pass(500);
    if (waits) share.onAcquire(false);
    const { entry, onAnswer } = share.beat(4);
    onAnswer({ entries: [...others, entry], at });
    return entry;
  };
  return { share, time, pass, beat };
}

const other = (count: number, fields: Partial<QuotaEntry> = {}): QuotaEntry => ({
  ...{ id: "a", count, sendsPerSecond: 3_000, claimedPerSecond: 3_500, weight: 4, isWaiting: true, at: NOW },
  ...fields,
});

/** The first beat of a run whose sends wait. Returns the rate after its answer. */
function nextRun(share: QuotaShare, others: readonly QuotaEntry[] = []): number {
  share.start();
  share.onAcquire(false);
  const { entry, onAnswer } = share.beat(4);
  onAnswer({ entries: [...others, entry], at: NOW });
  return share.rate();
}

describe("a container", () => {
  test("that has heard nothing sends at half of an even split, and claims that", () => {
    const { share, beat } = container();
    expect(share.rate()).toBe(UNANSWERED);
    expect(beat().claimedPerSecond).toBe(UNANSWERED);
  });

  test("that is alone takes everything with its second beat, which it may send at once", () => {
    const { share, beat } = container();
    beat();
    expect(share.isHeldBack()).toBe(true);
    expect(beat().claimedPerSecond).toBe(CAPACITY);
    expect(share.rate()).toBe(CAPACITY);
    expect(share.isHeldBack()).toBe(false);
  });

  test("raises its rate only once the claims of the others leave room", () => {
    const { share, beat } = container();
    beat([other(1, { claimedPerSecond: CAPACITY })]);
    expect(beat([other(2, { claimedPerSecond: CAPACITY })]).claimedPerSecond).toBe(CAPACITY / 2);
    expect(share.rate()).toBeLessThan(UNANSWERED);
    beat([other(3, { claimedPerSecond: CAPACITY / 2 })]);
    expect(share.rate()).toBe(CAPACITY / 2);
  });

  test("lowers its rate at once, and its claim in the next beat", () => {
    const { share, beat } = container();
    beat();
    beat();
    expect(beat([other(1)]).claimedPerSecond).toBe(CAPACITY);
    expect(share.rate()).toBe(CAPACITY / 2);
    expect(beat([other(2)]).claimedPerSecond).toBe(CAPACITY / 2);
  });

  test.each([
    { clock: "monotonic", milliseconds: 1_249, rate: CAPACITY },
    { clock: "monotonic", milliseconds: 1_250, rate: UNANSWERED },
    { clock: "wall", milliseconds: 1_249, rate: CAPACITY },
    { clock: "wall", milliseconds: 1_250, rate: UNANSWERED },
    { clock: "wall", milliseconds: -60_000, rate: CAPACITY },
  ] as const)("whose $clock clock ran $milliseconds ms since its last beat sends at $rate", (given) => {
    const { share, beat, time } = container();
    beat();
    beat();
    time[given.clock] += given.milliseconds;
    expect(share.rate()).toBe(given.rate);
  });

  test.each([
    { came: 0, after: 1_249, rate: CAPACITY },
    { came: 400, after: 849, rate: CAPACITY },
    { came: 400, after: 850, rate: UNANSWERED },
  ])("whose answer came after $came ms relies on it from when it asked: $after ms later it sends at $rate", ({
    came,
    after,
    rate,
  }) => {
    const { share, pass, beat } = container();
    beat();
    pass(500);
    share.onAcquire(false);
    const { entry, onAnswer } = share.beat(4);
    pass(came);
    onAnswer({ entries: [entry], at: NOW });
    pass(after);
    expect(share.rate()).toBe(rate);
  });

  test("that beats again at once still says that its sends wait, and so takes what nobody claims", () => {
    const { share, beat } = container();
    expect(beat().isWaiting).toBe(true);
    const { entry } = share.beat(4);
    expect(entry).toMatchObject({ isWaiting: true, claimedPerSecond: CAPACITY });
  });

  test("says at once that it claims less if a heavier lane leaves it little, and then it is said", () => {
    const { share, beat } = container();
    beat();
    beat();
    expect(share.isOverclaimed()).toBe(false);
    beat([other(1, { weight: 64 })]);
    expect(share.isOverclaimed()).toBe(true);
    beat([other(2, { weight: 64 })]);
    expect(share.isOverclaimed()).toBe(false);
  });

  test("counts another one until its count stood still for three beats", () => {
    const { share, beat } = container();
    for (const count of [1, 2, 2, 2]) beat([other(count)]);
    expect(share.rate()).toBe(CAPACITY / 2);
    beat([other(2)]);
    beat([other(2)]);
    expect(share.rate()).toBe(CAPACITY);
  });

  test.each([
    { at: NOW - 10_000, counts: false },
    { at: NOW - 9_999, counts: true },
    { at: NOW + 60_000, counts: true },
    { at: undefined, counts: true },
  ])("that meets an entry of $at by the table's time counts it: $counts", ({ at, counts }) => {
    const { share, beat } = container();
    const { at: _, ...entry } = other(7);
    const met = at === undefined ? entry : { ...entry, at };
    beat([met]);
    beat([met]);
    expect(share.rate()).toBe(counts ? CAPACITY / 2 : CAPACITY);
  });

  test("tells when its beat was by the table's time, and nothing by its own clock", () => {
    const { beat, time } = container();
    time.wall += 60_000;
    expect(beat().at).toBeUndefined();
    expect(beat([], { at: NOW + 1_000 }).at).toBe(NOW + 500);
    expect(beat().at).toBe(NOW + 1_500);
  });

  test("needs no beat while it sends next to nothing", () => {
    const { share, pass } = container();
    share.start();
    for (let i = 0; i < 7; i++) share.onAcquire(true);
    pass(500);
    expect(share.isHeard()).toBe(false);
    share.onAcquire(true);
    expect(share.isHeard()).toBe(true);
  });

  test("whose run ends claims nothing, and sends as if it had heard nothing", () => {
    const { share, beat } = container();
    beat();
    beat();
    const { entry, onAnswer } = share.lastBeat();
    expect(entry).toMatchObject({ claimedPerSecond: 0, sendsPerSecond: 0, isWaiting: false, count: 3 });
    onAnswer({ entries: [entry], at: NOW });
    expect(share.rate()).toBe(UNANSWERED);
  });

  test("that has two runs makes up for the time between them, once", () => {
    const { share, pass, beat } = container();
    beat();
    beat();
    expect(share.unused()).toBe(0);
    share.lastBeat();
    pass(40);
    expect(nextRun(share)).toBe(CAPACITY);
    expect(share.unused()).toBe((CAPACITY * 40) / 1_000);
    expect(share.unused()).toBe(0);
  });

  test.each([
    { why: "for 75 ms at most", milliseconds: 400, others: [], sends: (CAPACITY * 75) / 1_000 },
    { why: "for nothing after half a second", milliseconds: 500, others: [], sends: 0 },
    {
      why: "at the rate that others leave it",
      milliseconds: 50,
      others: [other(1, { isWaiting: false, claimedPerSecond: 6_000 })],
      sends: (1_000 * 50) / 1_000,
    },
  ])("makes up for the time between two runs $why", ({ milliseconds, others, sends }) => {
    const { share, pass, beat } = container();
    beat();
    beat();
    share.lastBeat();
    pass(milliseconds);
    nextRun(share, others);
    expect(share.unused()).toBe(sends);
  });

  test("makes up for no more than it might have sent before the gap", () => {
    const { share, pass, beat } = container();
    const busy = { isWaiting: false, sendsPerSecond: 5_000, claimedPerSecond: 6_000 };
    beat([other(1, busy)]);
    beat([other(2, busy)]);
    const before = share.rate();
    share.lastBeat();
    pass(40);
    share.start();
    share.onAcquire(false);
    const { entry, onAnswer } = share.beat(4);
    const gone = { isWaiting: false, sendsPerSecond: 0, claimedPerSecond: 0 };
    onAnswer({ entries: [other(3, gone), entry], at: NOW });
    expect(share.unused()).toBeLessThanOrEqual((before * 40) / 1_000);
  });

  test("takes one that suddenly needs nothing for one that waits, until a second answer agrees", () => {
    const { beat } = container();
    const ended = { isWaiting: false, sendsPerSecond: 0, claimedPerSecond: 0 };
    beat([other(1)]);
    beat([other(2)]);
    expect(beat([other(3, ended)]).claimedPerSecond).toBe(CAPACITY / 2);
    expect(beat([other(4)]).claimedPerSecond).toBe(CAPACITY / 2);
    expect(beat([other(5, ended)]).claimedPerSecond).toBe(CAPACITY / 2);
    expect(beat([other(5, ended)]).claimedPerSecond).toBe(CAPACITY / 2);
    expect(beat([other(5, ended)]).claimedPerSecond).toBe(CAPACITY - 10);
  });

  test.each([
    { id: "a", removes: "c" },
    { id: "d", removes: undefined },
  ])("named $id removes one that stood still for a minute: $removes", ({ id, removes }) => {
    const { share, beat } = container(id);
    const still = other(9, { id: "c" });
    for (let i = 0; i < 121; i++) beat([still, other(i, { id: "b" })]);
    expect(share.toRemove()?.id).toBe(removes);
  });
});

interface Step {
  readonly who: number;
  readonly what: "beat" | "answer" | "end";
  readonly waits: boolean;
  readonly passes: number;
}

const steps = fc.array(
  fc.record({
    who: fc.nat(4),
    what: fc.constantFrom("beat" as const, "answer" as const, "answer" as const, "end" as const),
    waits: fc.boolean(),
    passes: fc.constantFrom(0, 5, 10, 100, 250, 500, 1_000),
  }),
  { minLength: 20, maxLength: 200 },
);

/** Plays beats whose answers come later or never. Returns the most that all were allowed at a time, in sends per second. */
function mostAllowed(schedule: readonly Step[]): number {
  let now = 0;
  const clock = { now: () => now, monotonic: () => now };
  const item = new Map<string, QuotaEntry>();
  const all = [0, 1, 2, 3, 4].map((i) => ({
    share: quotaShare({ id: `c-${i}`, capacity: CAPACITY, runs: RUNS, clock }),
    open: undefined as { beat: Beat; entries: readonly QuotaEntry[]; until: number } | undefined,
  }));
  let most = 0;
  for (const { who, what, waits, passes } of schedule) {
    now += passes;
    const one = all[who];
    if (!one) continue;
    if (what === "answer") {
      if (one.open && now < one.open.until) one.open.beat.onAnswer({ entries: one.open.entries, at: now });
      one.open = undefined;
    } else {
      one.share.onAcquire(!waits);
      const beat = what === "end" ? one.share.lastBeat() : one.share.beat(4);
      item.set(beat.entry.id, beat.entry);
      one.open = { beat, entries: [...item.values()], until: now + 500 };
    }
    const rates = all.map(({ share }) => share.rate()).filter((rate) => rate > UNANSWERED);
    most = Math.max(
      most,
      rates.reduce((sum, rate) => sum + rate, 0),
    );
  }
  return most;
}

test("whatever answers are late or lost, those that got more than half of an even split never have more than all", () => {
  fc.assert(
    fc.property(steps, (schedule) => {
      expect(mostAllowed(schedule)).toBeLessThanOrEqual(CAPACITY);
    }),
    { numRuns: 3_000 },
  );
});
