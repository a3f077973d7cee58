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
  expect(queue.take("high", 10)).toMatchObject([{ body: "a", receives: 1 }]);
  clock.now = 29_999;
  expect(queue.take("high", 10)).toEqual([]);
  clock.now = 30_000;
  expect(queue.take("high", 10)).toMatchObject([{ body: "a", receives: 2 }]);
});

test("what was received too often goes to the dead-letter queue at its next receive", () => {
  const { queue, clock } = opened();
  queue.put("low", "a");
  for (const now of [0, 30_000, 60_000]) {
    clock.now = now;
    queue.take("low", 1);
  }
  expect(queue.size()).toBe(0);
  expect(queue.deadLetters).toMatchObject([{ lane: "low", body: "a" }]);
});

test("a delay and a change of visibility hide for as long as they say, but not by an old handle", () => {
  const { queue, clock } = opened();
  queue.put("normal", "a", 5);
  expect(queue.nextVisible("normal")).toBe(5_000);
  clock.now = 5_000;
  const [first] = queue.take("normal", 1);
  queue.hide("normal", first?.handle ?? "", 1);
  expect(queue.nextVisible("normal")).toBe(6_000);
  clock.now = 6_000;
  queue.take("normal", 1);
  queue.hide("normal", first?.handle ?? "", 600);
  expect(queue.nextVisible("normal")).toBe(36_000);
});

test("what was deleted does not come back, unless the delete is lost", () => {
  const taken = (rates: FaultRates) => {
    const { queue, clock } = opened(rates);
    queue.put("high", "a");
    const [received] = queue.take("high", 1);
    queue.remove("high", received?.handle ?? "");
    clock.now = 30_000;
    return queue.take("high", 1).length;
  };
  expect(taken({})).toBe(0);
  expect(taken({ "queue-undeleted": 1 })).toBe(1);
});

test("an early redelivery shows a message again before its time", () => {
  const { queue, clock } = opened({ "queue-early": 1 });
  queue.put("high", "a");
  queue.take("high", 1);
  clock.now = 29_999;
  expect(queue.take("high", 1)).toHaveLength(1);
});
