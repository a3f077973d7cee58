import { expect, test } from "vitest";
import { frameLimit } from "../../shared/pipeline/socket/frame-limit.ts";
import { memoryClock } from "../../testing/memory/clock.ts";

/** Three frames at once, and one a second. */
const LIMITS = { burst: 3, perSecond: 1 };

test("a connection is refused after its burst, with the seconds to wait, and no other connection is", () => {
  const clock = memoryClock();
  const limit = frameLimit(clock, LIMITS);
  expect([limit("a"), limit("a"), limit("a"), limit("a")]).toEqual([undefined, undefined, undefined, 1]);
  expect(limit("b")).toBeUndefined();
  clock.advance(1_000);
  expect([limit("a"), limit("a")]).toEqual([undefined, 1]);
});

test("what costs more than one uses up the burst sooner", () => {
  const clock = memoryClock();
  const limit = frameLimit(clock, LIMITS);
  expect([limit("a", 2), limit("a", 2), limit("a")]).toEqual([undefined, 1, undefined]);
  clock.advance(1_000);
  expect([limit("a", 2), limit("a", 1)]).toEqual([1, undefined]);
});

test("10,000 connections are remembered, and the one that was silent longest is forgotten first", () => {
  const limit = frameLimit(memoryClock(), LIMITS);
  for (const id of ["first", "first", "second", "second", "second", "first"]) limit(id);
  for (let n = 2; n < 10_000; n++) limit(`c${n}`);
  expect([limit("first"), limit("second")]).toEqual([1, 1]);
  limit("one more");
  expect([limit("first"), limit("second")]).toEqual([1, undefined]);
});
