import { expect, test } from "vitest";
import { fanoutLane, laneWeight, PRIORITIES } from "../../shared/protocol/lane.ts";

test.each([
  { priority: "high", weight: 16 },
  { priority: "normal", weight: 4 },
  { priority: "low", weight: 1 },
] as const)("a message of $priority priority weighs $weight, and so do the jobs that it is split into", (given) => {
  expect(laneWeight(given.priority)).toBe(given.weight);
  expect(laneWeight(fanoutLane(given.priority))).toBe(given.weight);
});

test("each priority has a fanout lane of its own", () => {
  expect(new Set(PRIORITIES.map(fanoutLane)).size).toBe(PRIORITIES.length);
});
