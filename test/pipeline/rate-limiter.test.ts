import { describe, expect, test } from "vitest";
import { type RateLimiter, rateLimiter } from "../../shared/pipeline/deliver/rate-limiter.ts";
import type { SendResult } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";

const SENT: SendResult = { kind: "sent" };
const THROTTLED: SendResult = { kind: "throttled", reason: "429" };
const POLICY = { quotaRequestsPerSecond: 10_000, quotaFraction: 0.8 };
const id = (number: number) => `client-${number}=` as ConnectionId;

/** A limiter at its full rate. */
function warm() {
  const limiter = rateLimiter(POLICY);
  const after = 60_000;
  expect(limiter.rate(0)).toBe(2_000);
  expect(limiter.rate(after)).toBe(8_000);
  return { limiter, after };
}

/** Sends until one has to wait. Returns how many there were. */
function atOnce(limiter: Pick<RateLimiter, "acquire">, now: number): number {
  let sent = 0;
  while (limiter.acquire(now) === 0) sent++;
  return sent;
}

/** A share of 1,000 a second, with sends that may be made up for once. */
const shareWithUnused = () => ({
  left: 0,
  rate: () => 1_000,
  unused() {
    return this.left;
  },
  onAcquire() {
    this.left = 0;
  },
});

describe("sends", () => {
  test("start at a quarter of the rate, and reach it within a minute in which nothing is throttled", () => {
    warm();
  });

  test.each([
    500, 2_000, 8_000,
  ])("are never more than %d a second and a burst of a quarter second", (quota) => {
    const limiter = rateLimiter({ quotaRequestsPerSecond: quota, quotaFraction: 1 });
    limiter.rate(0);
    const [from, to] = [600_000, 605_000];
    let sent = 0;
    for (let now = from; now < to; now++) while (limiter.acquire(now) === 0) sent++;
    expect(sent).toBeLessThanOrEqual(quota * 5 + quota / 4 + 1);
    expect(sent).toBeGreaterThan(quota * 4.9);
  });

  test("that have to wait ask again within 100 ms, and nobody holds a turn", () => {
    const limiter = rateLimiter({ quotaRequestsPerSecond: 40, quotaFraction: 1 });
    let wait = 0;
    for (let ask = 0; ask < 1_000; ask++) wait = Math.max(wait, limiter.acquire(0));
    expect(wait).toBe(100);
    // Whoever waited and never came back has taken nothing.
    expect(limiter.acquire(200)).toBe(0);
  });

  test("that were not used for a minute are kept for a quarter second", () => {
    const { limiter, after } = warm();
    // What a new limiter may send at once, until it has seen time pass.
    expect(atOnce(limiter, after)).toBe(500);
    expect(atOnce(limiter, after + 60_000)).toBe(2_000);
  });

  test("that went unused between two runs may be made on top, once, and no more than are kept", () => {
    const share = shareWithUnused();
    const limiter = rateLimiter(POLICY, share);
    expect(atOnce(limiter, 0)).toBe(250);
    share.left = 60;
    expect(atOnce(limiter, 0)).toBe(60);
    share.left = 300;
    expect(atOnce(limiter, 0)).toBe(250);
  });

  test("are made at the lower rate for the time before a rate changed", () => {
    let rate = 1_000;
    const limiter = rateLimiter(POLICY, { rate: () => rate, unused: () => 0, onAcquire() {} });
    expect(atOnce(limiter, 0)).toBe(250);
    rate = 7_000;
    expect(atOnce(limiter, 100)).toBe(100);
    expect(atOnce(limiter, 200)).toBe(700);
    rate = 1_000;
    expect(atOnce(limiter, 300)).toBe(100);
  });

  test("that went unused are made up for at the part of the rate that throttling leaves", () => {
    const share = shareWithUnused();
    const limiter = rateLimiter(POLICY, share);
    for (let i = 0; i < 100; i++) limiter.onResult(id(i), THROTTLED, 0, false);
    // All were throttled: what is left is the least rate.
    atOnce(limiter, 500);
    const least = limiter.rate(500);
    share.left = 60;
    expect(atOnce(limiter, 500)).toBeLessThanOrEqual((60 * least) / 1_000 + 1);
  });

  test("that wait are told to come one after another, at the rate, until they are sent", () => {
    const limiter = rateLimiter({ quotaRequestsPerSecond: 4_000, quotaFraction: 1 });
    const asked = (times: number, now: number) => Array.from({ length: times }, () => limiter.acquire(now));
    expect(asked(250, 0)).toEqual(Array.from({ length: 250 }, () => 0));
    // 1,000 a second: a send every millisecond, at most 100 ms away.
    expect(asked(102, 0)).toEqual([...Array.from({ length: 100 }, (_, i) => i + 1), 100, 100]);
    expect(asked(4, 3)).toEqual([0, 0, 0, 98]);
    expect(asked(101, 103)).toEqual([...Array.from({ length: 100 }, () => 0), 1]);
  });
});

describe("the rate", () => {
  test("falls by 30 % where distinct connections are throttled, and rises by 2 % in a quiet window", () => {
    const { limiter, after } = warm();
    for (let i = 0; i < 100; i++) limiter.onResult(id(i), i < 20 ? THROTTLED : SENT, after, false);
    expect(limiter.isThrottled(after)).toBe(false);
    expect(limiter.rate(after + 500)).toBeCloseTo(5_600);
    expect(limiter.rate(after + 1_000)).toBeCloseTo(5_600 * 1.02);
    expect(limiter.isThrottled(after + 60_499)).toBe(true);
    expect(limiter.isThrottled(after + 60_500)).toBe(false);
  });

  test("is not changed by one client that does not read, however often it is sent to", () => {
    const { limiter, after } = warm();
    for (let now = after; now < after + 20_000; now += 10) {
      limiter.onResult(id(now), SENT, now, false);
      limiter.onResult(id(0), THROTTLED, now, false);
    }
    expect(limiter.rate(after + 20_000)).toBeGreaterThan(7_900);
  });

  test("is not changed by ten clients of a thousand, in whatever order they come", () => {
    const { limiter, after } = warm();
    for (let i = 0; i < 600; i++) limiter.onResult(id(i), i < 6 ? THROTTLED : SENT, after, false);
    expect(limiter.rate(after + 500)).toBe(8_000);
  });

  test.each([
    { throttled: 60, falls: false },
    { throttled: 100, falls: true },
  ])("is judged by all that were seen in a window, however many: $throttled of 5,000", ({
    throttled,
    falls,
  }) => {
    const { limiter, after } = warm();
    for (let i = 0; i < 5_000; i++) limiter.onResult(id(i), i < throttled ? THROTTLED : SENT, after, false);
    limiter.rate(after + 500);
    expect(limiter.isThrottled(after + 500)).toBe(falls);
  });

  test.each([
    { throttled: 2, seen: 2, falls: false },
    { throttled: 3, seen: 3, falls: true },
    { throttled: 3, seen: 99, falls: true },
    { throttled: 3, seen: 100, falls: false },
    { throttled: 4, seen: 100, falls: true },
  ])("falls if at least 3, and by chance too many of 1 %, are throttled: $throttled of $seen", ({
    throttled,
    seen,
    falls,
  }) => {
    const { limiter, after } = warm();
    for (let i = 0; i < seen; i++) limiter.onResult(id(i), i < throttled ? THROTTLED : SENT, after, false);
    expect(limiter.rate(after + 500)).toBeCloseTo(falls ? 5_600 : 8_000);
  });

  test("falls by connections that are throttled twice in a window, as by those that are once", () => {
    const { limiter, after } = warm();
    for (let i = 0; i < 200; i++) {
      limiter.onResult(id(i % 100), i % 100 < 20 ? THROTTLED : SENT, after, false);
    }
    expect(limiter.rate(after + 500)).toBeCloseTo(5_600);
  });

  test.each([
    { others: 4, falls: true },
    { others: 1_000, falls: false },
  ])("is judged by connections, not by sends, of the first thousand in a window: $others and a busy one", ({
    others,
    falls,
  }) => {
    const { limiter, after } = warm();
    for (let i = 0; i < others; i++) limiter.onResult(id(i), i < 20 ? THROTTLED : SENT, after, false);
    for (let i = 0; i < 4_000; i++) limiter.onResult(id(others - 1), SENT, after, false);
    limiter.rate(after + 500);
    expect(limiter.isThrottled(after + 500)).toBe(falls);
  });

  test("is not changed by connections that turn out to fail again and again", () => {
    const { limiter, after } = warm();
    for (let i = 0; i < 100; i++) limiter.onResult(id(i), i < 20 ? THROTTLED : SENT, after, false);
    for (let i = 0; i < 20; i++) limiter.onResult(id(i), THROTTLED, after + 100, true);
    expect(limiter.rate(after + 500)).toBe(8_000);
  });

  test("counts a connection once in ten seconds", () => {
    const { limiter, after } = warm();
    const window = (now: number) => {
      for (let i = 0; i < 20; i++) limiter.onResult(id(i), THROTTLED, now, false);
      return limiter.rate(now + 500);
    };
    expect(window(after)).toBeCloseTo(5_600);
    expect(window(after + 500)).toBeCloseTo(5_600 * 1.02);
    // It has risen to the full rate by then.
    expect(window(after + 10_000)).toBeCloseTo(5_600);
  });

  test("never falls so far that nothing is learnt any more", () => {
    const { limiter, after } = warm();
    for (let now = after, number = 0; now < after + 60_000; now += 500) {
      for (let i = 0; i < 10; i++) limiter.onResult(id(number++), THROTTLED, now, false);
    }
    expect(limiter.rate(after + 60_000)).toBeGreaterThanOrEqual(10);
    expect(limiter.rate(after + 60_000)).toBeLessThan(11);
  });
});
