import { expect, test } from "vitest";
import { campaign } from "../../simulation/campaign.ts";
import { simulate } from "../../simulation/simulate.ts";

const SMALL = { messages: 12, connections: 16, topics: 3, faults: "all" };

test("twenty seeds with every fault break no promise", { timeout: 180_000 }, async () => {
  const { violations, endings, peak, repeats } = await campaign({ ...SMALL, seed: 1, seeds: 20 });
  expect(violations).toEqual([]);
  const reached = ["delivered", "partial", "no-recipients", "expired", "cancelled", "dead", "duplicate"];
  expect(Object.keys(endings)).toEqual(expect.arrayContaining(reached));
  expect(peak.sendsInRun).toBeGreaterThan(1);
  expect(repeats).toBeGreaterThan(0);
});

test(
  "clients that keep their place in streams miss nothing, over days too",
  { timeout: 180_000 },
  async () => {
    const { violations, frames } = await campaign({ ...SMALL, streams: "only", seed: 1, seeds: 10 });
    expect(violations).toEqual([]);
    expect(frames).toBeGreaterThan(100);
  },
);

test("without faults every message is delivered at once, and nothing twice", async () => {
  const summary = await campaign({ ...SMALL, faults: "none", seed: 5, seeds: 4 });
  expect(summary).toMatchObject({ violations: [], repeats: 0, deadLetters: 0, faults: {} });
  expect(Object.keys(summary.endings).sort()).toEqual(["delivered", "no-recipients"]);
});

test(
  "a crowd in one topic gets its message by the settings of production",
  { timeout: 180_000 },
  async () => {
    const { violation, endings, frames } = await simulate({
      ...{ seed: 1, messages: 1, connections: 2_000, topics: 1 },
      faults: "post-busy,post-error,post-hang,disconnect-lost,queue-early,queue-undeleted,run-skew",
    });
    expect(violation).toBeUndefined();
    expect(endings).toEqual({ delivered: 3 });
    expect(frames).toBeGreaterThan(5_000);
  },
);

test(
  "a throttled gateway slows a crowd's delivery down, and no run outstays its time",
  { timeout: 180_000 },
  async () => {
    const { violation, timeouts, repeats, endings } = await simulate({
      ...{ seed: 1, messages: 1, connections: 6_000, topics: 1, faults: "post-busy=0.3" },
    });
    expect({ violation, timeouts, repeats }).toEqual({ violation: undefined, timeouts: 0, repeats: 0 });
    expect(endings).toEqual({ delivered: 3 });
  },
);

test("the same seed does the same, and another one does not", async () => {
  const [first, again, other] = await Promise.all([7, 7, 8].map((seed) => simulate({ ...SMALL, seed })));
  expect(again).toEqual(first);
  expect(other?.digest).not.toBe(first?.digest);
});
