import { describe, expect, test } from "vitest";
import { NONE, QUOTA_MUTANTS, type QuotaMutant } from "../../simulation/quota/mutants.ts";
import { ACCOUNT, BELIEVED, busy, JOBS, SHARED } from "../../simulation/quota/scenarios.ts";
import { type QuotaReport, type QuotaScenario, simulateQuota } from "../../simulation/quota/simulate.ts";

/** The simulation has its own time; the machine may be slow. */
const TIMEOUT = 600_000;

/** Seconds after which the shares are settled: at the beginning, and after a container came or went. */
const SETTLED = 4;

/** What the gateway saw, in parts of the quota that the account has. */
async function seen(scenario: QuotaScenario, mutant: QuotaMutant = NONE) {
  const report: QuotaReport = await simulateQuota(scenario, { mutant });
  const { perSecond } = scenario.quota;
  const happened = new Set((scenario.happenings ?? []).map(({ at }) => at));
  const times = [0, ...happened].map((at) => at + SETTLED);
  const ends = [...times.slice(1).map((at) => at - SETTLED), scenario.seconds];
  return {
    report,
    shares: times.map((from, i) => report.rate(from * 1_000, (ends[i] ?? 0) * 1_000) / perSecond),
    most: report.most(1_000) / perSecond,
  };
}

describe.each<{ readonly what: string; readonly scenarios: Readonly<Record<string, QuotaScenario>> }>([
  { what: "busy containers share the quota of the account", scenarios: SHARED },
  { what: "runs of jobs that follow one another lose little between them", scenarios: JOBS },
])("$what", ({ scenarios }) => {
  test.each(Object.entries(scenarios))("%s", { timeout: TIMEOUT }, async (_, scenario) => {
    const { report, shares, most } = await seen(scenario);
    for (const share of shares) {
      expect(share).toBeGreaterThanOrEqual(0.75);
      expect(share).toBeLessThanOrEqual(0.8);
    }
    expect(most).toBeLessThanOrEqual(0.85);
    expect(report.refused()).toBeLessThanOrEqual(0.001);
    // No slow client, and no loss of a call, looks like an account that gives less.
    expect(report.throttled).toBe(0);
  });
});

test.each([
  { sendsInFlight: 200, most: 8_000 },
  { sendsInFlight: 50, most: 5_000 },
])("one alone with $sendsInFlight in flight takes what it can", { timeout: TIMEOUT }, async (given) => {
  const containers = busy(1, { sendsInFlight: given.sendsInFlight });
  const { report, most } = await seen({ quota: ACCOUNT, seconds: 10, containers });
  const rate = report.rate(3_000, 10_000);
  expect(rate).toBeGreaterThan(0.95 * given.most);
  expect(rate).toBeLessThanOrEqual(given.most);
  expect(report.firstAt(given.most / 2)).toBeLessThanOrEqual(3_000);
  expect(most).toBeLessThanOrEqual(0.85);
  expect(report.refused()).toBeLessThanOrEqual(0.001);
});

describe("where the quota is believed four times too high", () => {
  test.each(Object.entries(BELIEVED))(
    "the brake leaves room for others, and says so: %s",
    {
      timeout: TIMEOUT,
    },
    async (_, scenario) => {
      const { report } = await seen(scenario);
      expect(report.refused()).toBeLessThan(0.03);
      expect(report.throttled).toBeGreaterThan(0);
      expect(report.rate(10_000, 60_000)).toBeGreaterThan(0.75 * ACCOUNT.perSecond);
    },
  );
});

/** Where each planted bug shows. */
const SHOWS: Readonly<Record<keyof typeof QUOTA_MUTANTS, QuotaScenario>> = {
  "up after one beat": { ...SHARED["8 busy containers"], startSeconds: 3, seconds: 8 },
  "a thawed container keeps its share": SHARED["two that thaw at once"],
  "nobody ever dies": SHARED["a container that dies"],
  "who misses a beat is dead": { ...SHARED["lost table calls"], containers: busy(2), lostCalls: 0.2 },
  "nobody listens to the others": { ...SHARED["4 busy containers"], seconds: 6 },
  "an answer is valid for ever": SHARED["one that thaws"],
  "nothing brakes": { ...(BELIEVED["8 busy containers"] as QuotaScenario), seconds: 20 },
};

describe("a planted bug is found", () => {
  test.each(Object.entries<QuotaMutant>(QUOTA_MUTANTS))("%s", { timeout: TIMEOUT }, async (name, mutant) => {
    const scenario = SHOWS[name as keyof typeof QUOTA_MUTANTS];
    const { report, shares, most } = await seen(scenario, mutant);
    const isBelieved = scenario.believedPerSecond !== undefined;
    const holds = isBelieved
      ? report.refused() < 0.03
      : shares.every((share) => share >= 0.75 && share <= 0.8) && most <= 0.85 && report.refused() <= 0.001;
    expect(holds).toBe(false);
  });
});
