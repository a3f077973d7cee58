import { expect, test } from "vitest";
import { jobsFor } from "../../shared/settings/policy.ts";

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
