import { expect, test } from "vitest";
import { beatLoop } from "../../../shared/pipeline/quota/beat-loop.ts";
import { quotaShare } from "../../../shared/pipeline/quota/share.ts";
import type { Clock, QuotaBeats, QuotaEntry } from "../../../shared/ports.ts";
import { events } from "../../../simulation/quota/events.ts";
import { memoryQuotaBeats } from "../../../testing/memory/quota-beats.ts";
import { memoryTelemetry } from "../../../testing/memory/telemetry.ts";

const CAPACITY = 7_000;

/** A container on a clock that is moved by hand, and what it said in its beats. */
function container({ reaches = (): Promise<void> => Promise.resolve() } = {}) {
  const time = events();
  const clock: Clock = {
    now: () => time.now(),
    monotonic: () => time.now(),
    pause: (milliseconds) => new Promise((resolve) => time.at(time.now() + milliseconds, resolve)),
  };
  const item = memoryQuotaBeats(time.now);
  const said: QuotaEntry[] = [];
  const beats: QuotaBeats = {
    ...item,
    async beat(entry) {
      said.push(entry);
      await reaches();
      return item.beat(entry);
    },
  };
  const share = quotaShare({ id: "a", capacity: CAPACITY, runs: 28, clock });
  const telemetry = memoryTelemetry();
  const pass = (milliseconds: number) => time.run(time.now() + milliseconds);
  return {
    share,
    said,
    item,
    telemetry,
    pass,
    loop: beatLoop({ share, beats, clock, requestsPerSecond: 2 * CAPACITY }),
    clock,
  };
}

test("a run that sends next to nothing makes no call", async () => {
  const { loop, share, said, telemetry, pass } = container();
  const run = loop.start(4, telemetry);
  share.onAcquire(true);
  await pass(5_000);
  await run.end();
  expect(said).toEqual([]);
});

test("a container whose sends wait does not wait for its beat, and if it is alone it has everything with the second", async () => {
  const { loop, share, said, telemetry, pass } = container();
  loop.start(16, telemetry);
  await pass(1);
  share.onAcquire(false);
  await pass(2);
  expect(said.map(({ claimedPerSecond }) => claimedPerSecond)).toEqual([CAPACITY / 56, CAPACITY]);
  expect(said[0]).toMatchObject({ weight: 16, isWaiting: true });
  expect(share.rate()).toBe(CAPACITY);
});

test("one that goes on waiting beats twice a second", async () => {
  const { loop, share, said, telemetry, pass } = container();
  loop.start(4, telemetry);
  for (let i = 0; i < 100; i++) {
    share.onAcquire(false);
    await pass(100);
  }
  expect(said.length).toBeGreaterThanOrEqual(19);
  expect(said.length).toBeLessThanOrEqual(22);
});

test("an answer says what part of the account's quota all containers use", async () => {
  const { loop, share, telemetry, pass, item } = container();
  const other = {
    id: "b",
    count: 1,
    sendsPerSecond: 3_500,
    claimedPerSecond: 3_500,
    weight: 4,
    isWaiting: false,
  };
  await item.beat(other);
  loop.start(4, telemetry);
  share.onAcquire(false);
  await pass(100);
  expect(telemetry.measured[0]).toEqual({ metric: "QuotaInUse", value: 25, lane: undefined });
});

test("a container that stopped without a word counts no more in that part", async () => {
  const { loop, share, telemetry, pass, item } = container();
  const dead = { id: "b", count: 1, sendsPerSecond: 3_500, claimedPerSecond: 0, weight: 4, isWaiting: false };
  await item.beat({ ...dead, at: 0 });
  await pass(60_000);
  loop.start(4, telemetry);
  share.onAcquire(false);
  await pass(100);
  expect(telemetry.measured[0]).toEqual({ metric: "QuotaInUse", value: 0, lane: undefined });
});

test("a run is over only when the others have been told: its container may be frozen then", async () => {
  const held: (() => void)[] = [];
  let isSlow = false;
  const { loop, share, telemetry, pass, item } = container({
    reaches: () => (isSlow ? new Promise((resolve) => held.push(resolve)) : Promise.resolve()),
  });
  const run = loop.start(4, telemetry);
  share.onAcquire(false);
  await pass(100);
  isSlow = true;
  let isOver = false;
  const ending = run.end().then(() => {
    isOver = true;
  });
  await pass(100);
  expect({ isOver, calls: held.length }).toEqual({ isOver: false, calls: 1 });
  for (const reach of held) reach();
  await ending;
  expect((await item.read()).entries).toMatchObject([{ claimedPerSecond: 0 }]);
});

test("the end of a run tells the others that it needs nothing, and beats no more", async () => {
  const { loop, share, said, telemetry, pass, item } = container();
  const run = loop.start(4, telemetry);
  share.onAcquire(false);
  await pass(100);
  const ending = run.end();
  await pass(10);
  await ending;
  expect((await item.read()).entries).toMatchObject([
    { claimedPerSecond: 0, sendsPerSecond: 0, isWaiting: false },
  ]);
  const { length } = said;
  await pass(10_000);
  expect(said).toHaveLength(length);
});

test("two runs of one container beat as one, and the last that ends says so", async () => {
  const { loop, share, said, telemetry, pass } = container();
  const [first, second] = [loop.start(4, telemetry), loop.start(16, telemetry)];
  share.onAcquire(false);
  await pass(100);
  await first.end();
  expect(said.at(-1)).toMatchObject({ weight: 16, claimedPerSecond: CAPACITY });
  const ending = second.end();
  await pass(10);
  await ending;
  expect(said.at(-1)?.claimedPerSecond).toBe(0);
});

test("a table that cannot be reached fails no run, and is told in its log", async () => {
  const { loop, share, telemetry, pass, said } = container({
    reaches: () => Promise.reject(new Error("no")),
  });
  const run = loop.start(4, telemetry);
  share.onAcquire(false);
  await pass(600);
  const ending = run.end();
  await pass(600);
  await ending;
  expect(said.length).toBeGreaterThan(1);
  expect(telemetry.warnings.map(({ event }) => event)).toContain("quota not shared");
});

test("a call that hangs holds up neither the next beat nor the end of the run by more than an interval", async () => {
  const { loop, share, said, telemetry, pass, clock } = container({ reaches: () => new Promise(() => {}) });
  const run = loop.start(4, telemetry);
  for (let i = 0; i < 16; i++) {
    share.onAcquire(false);
    await pass(100);
  }
  expect(said.length).toBeGreaterThanOrEqual(3);
  const before = clock.monotonic();
  let took = Number.POSITIVE_INFINITY;
  const ending = run.end().then(() => {
    took = clock.monotonic() - before;
  });
  await pass(2_000);
  await ending;
  expect(took).toBeLessThanOrEqual(1_100);
});
