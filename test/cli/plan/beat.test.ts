import { expect, test } from "vitest";
import { beatsOf } from "../../../cli/plan/beat.ts";
import { DEFAULTS } from "../../../shared/settings/settings.ts";
import { simulateQuota } from "../../../simulation/quota/simulate.ts";

/* What the plan says of beats, against the code that beats: busy containers that share the quota in virtual time. */
const CAPACITY = 10_000 * 0.8 * 0.97;
const SECONDS = 30;

test.each([
  { containers: 1, sendsPerRun: 2_500 },
  { containers: 1, sendsPerRun: 200 },
  { containers: 4, sendsPerRun: 2_500 },
  { containers: 12, sendsPerRun: 2_500 },
])(
  "a run of $sendsPerRun sends beside $containers in all beats as often as the plan counts",
  {
    timeout: 120_000,
  },
  async ({ containers, sendsPerRun }) => {
    const { rate, writes } = await simulateQuota({
      quota: { perSecond: 10_000, burst: 5_000 },
      seconds: SECONDS,
      containers: Array.from({ length: containers }, () => ({ sendsPerRun })),
    });
    const runs = (rate(0, SECONDS * 1_000) * SECONDS) / sendsPerRun;
    const seconds = (sendsPerRun * containers) / CAPACITY;
    const { all, first } = beatsOf({ sends: sendsPerRun, seconds, side: containers }, DEFAULTS);
    // Each container knows nothing of the others in its first run alone.
    expect(writes / (runs * (all - first) + containers * first)).toBeCloseTo(1, 1);
  },
);

test("a run of few sends waits for no turn, and does not beat", () => {
  expect(beatsOf({ sends: 34, seconds: 0.02 }, DEFAULTS)).toEqual({ all: 0, first: 0 });
  expect(beatsOf({ sends: 35, seconds: 0.02 }, DEFAULTS).all).toBe(3);
});
