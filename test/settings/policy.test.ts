import { expect, test } from "vitest";
import { backlogPolicy, deliveryPolicy, jobsFor } from "../../shared/settings/policy.ts";
import { DEFAULTS, settings } from "../../shared/settings/settings.ts";

const LIMITS = { recipientsPerRun: 1_000, splitLimit: 100 };

test.each([
  { audience: 0, jobs: 0 },
  { audience: 1_000, jobs: 0 },
  { audience: 1_001, jobs: 3 },
  { audience: 5_000, jobs: 10 },
  { audience: 5_001, jobs: 11 },
  { audience: 50_000, jobs: 100 },
  { audience: 1_000_000, jobs: 100 },
])("an audience of $audience is split into $jobs jobs", ({ audience, jobs }) => {
  expect(jobsFor(audience, LIMITS)).toBe(jobs);
});

test("a delivery takes the advanced settings beside the others", () => {
  const policy = deliveryPolicy(DEFAULTS);
  const { recipientsPerRun, quotaFraction, advanced } = DEFAULTS;
  expect(policy).toMatchObject({ recipientsPerRun, quotaFraction, pageSize: advanced.pageSize });
  expect(policy).not.toHaveProperty("advanced");
});

test("the lane high has no limit of messages unless it is given one, the others have", () => {
  const { normal, low } = DEFAULTS.lanes;
  const limits = {
    normal: normal.backlogLimitMessages,
    low: low.backlogLimitMessages,
    "fanout-normal": 100_000,
    "fanout-low": 100_000,
  };
  expect(backlogPolicy(DEFAULTS)).toStrictEqual({
    limits,
    limitsSeconds: { "fanout-normal": 3_600, "fanout-low": 3_600 },
    recipientsPerJob: 2_500,
    sendsPerSecond: 7_760,
    refreshIntervalMilliseconds: DEFAULTS.advanced.backlogRefreshIntervalMilliseconds,
  });
  const limited = settings({ lanes: { high: { backlogLimitMessages: 5_000 } } });
  expect(backlogPolicy(limited).limits).toStrictEqual({ ...limits, high: 5_000 });
});
