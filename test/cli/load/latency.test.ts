import { expect, test } from "vitest";
import { latency } from "../../../cli/load/latency.ts";

test("percentiles are those of what was recorded", () => {
  const found = latency();
  for (let i = 1; i <= 1_000; i++) found.record(i / 10);
  const { p50 = 0, p90 = 0, p99 = 0, max = 0 } = found.percentiles() ?? {};
  expect(found.count()).toBe(1_000);
  for (const [text, right] of [
    [p50, 50],
    [p90, 90],
    [p99, 99],
    [max, 100],
  ] as const)
    expect(Math.abs(text - right)).toBeLessThan(0.15);
});

test("buckets count each time once, from the first that is not empty to the last", () => {
  const found = latency();
  for (const took of [0.01, 5, 5.01, 99_999]) found.record(took);
  const buckets = found.buckets();
  expect(buckets.filter(({ count }) => count > 0)).toEqual([
    { upTo: 1, count: 1 },
    { upTo: 5, count: 1 },
    { upTo: 10, count: 1 },
    { count: 1 },
  ]);
  expect(buckets.at(0)).toEqual({ upTo: 1, count: 1 });
});

test("where nothing came there are neither percentiles nor buckets", () => {
  expect(latency().percentiles()).toBeUndefined();
  expect(latency().buckets()).toEqual([]);
});
