import { expect, test } from "vitest";
import { dice } from "../../simulation/world/dice.ts";
import { type FaultRates, faultsOf } from "../../simulation/world/faults.ts";
import { simulatedQueue } from "../../simulation/world/queue.ts";

function opened(rates: FaultRates = {}) {
  const clock = { now: 0 };
  const throws = dice("queue");
  const queue = simulatedQueue({
    now: () => clock.now,
    sleep: async () => {},
    dice: throws,
    faults: faultsOf(rates, throws),
    maxReceives: 2,
    visibilitySeconds: 30,
    onChange: () => {},
  });
  return { queue, clock };
}

test("what was received is hidden for the visibility timeout, and counts its receives", () => {
  const { queue, clock } = opened();
  queue.put("high", "a");
  expect(queue.receive("high", 10)).toMatchObject([{ body: "a", receives: 1 }]);
  clock.now = 29_999;
  expect(queue.receive("high", 10)).toEqual([]);
  clock.now = 30_000;
  expect(queue.receive("high", 10)).toMatchObject([{ body: "a", receives: 2 }]);
});

test("what was received too often goes to the dead-letter queue at its next receive", () => {
  const { queue, clock } = opened();
  queue.put("low", "a");
  for (const now of [0, 30_000, 60_000]) {
    clock.now = now;
    queue.receive("low", 1);
  }
  expect(queue.size()).toBe(0);
  expect(queue.deadLetters).toMatchObject([{ lane: "low", body: "a" }]);
});

test("a delay and a change of visibility hide for as long as they say, but not by an old handle", () => {
  const { queue, clock } = opened();
  queue.put("normal", "a", 5);
  expect(queue.nextVisible("normal")).toBe(5_000);
  clock.now = 5_000;
  const [first] = queue.receive("normal", 1);
  queue.changeVisibility("normal", first?.handle ?? "", 1);
  expect(queue.nextVisible("normal")).toBe(6_000);
  clock.now = 6_000;
  queue.receive("normal", 1);
  queue.changeVisibility("normal", first?.handle ?? "", 600);
  expect(queue.nextVisible("normal")).toBe(36_000);
});

test("what was deleted does not come back, unless the delete is lost", () => {
  const taken = (rates: FaultRates) => {
    const { queue, clock } = opened(rates);
    queue.put("high", "a");
    const [received] = queue.receive("high", 1);
    queue.remove("high", received?.handle ?? "");
    clock.now = 30_000;
    return queue.receive("high", 1).length;
  };
  expect(taken({})).toBe(0);
  expect(taken({ "queue-undeleted": 1 })).toBe(1);
});

test("an early redelivery shows a message again before its time", () => {
  const { queue, clock } = opened({ "queue-early": 1 });
  queue.put("high", "a");
  queue.receive("high", 1);
  clock.now = 29_999;
  expect(queue.receive("high", 1)).toHaveLength(1);
});
