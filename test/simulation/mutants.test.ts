import { expect, test } from "vitest";
import { campaign } from "../../simulation/campaign.ts";
import { MUTANTS } from "../../simulation/mutants.ts";
import { excerpt, shrink } from "../../simulation/shrink.ts";
import { simulate } from "../../simulation/simulate.ts";
import type { Mutant } from "../../simulation/world/mutant.ts";

const SMALL = { messages: 12, connections: 16, topics: 3, faults: "all" };

const SEEDS = { router: 50, streams: 200 };

test.each(Object.entries<Mutant>(MUTANTS))(
  "a planted bug is found: %s",
  { timeout: 300_000 },
  async (_, mutant) => {
    const seeds = mutant.in?.streams ? SEEDS.streams : SEEDS.router;
    const { violations } = await campaign({
      ...SMALL,
      mutant,
      seed: mutant.seed ?? 1,
      seeds,
      stopAtFirst: true,
    });
    expect(violations).toHaveLength(1);
  },
);

test("a failure is shrunk to a case that can be read", { timeout: 180_000 }, async () => {
  const faults = "post-busy=0.3,queue-early=0.1,queue-disorder,run-skew,table-throttled,producer-deadline";
  const failed = { ...SMALL, faults, seed: 7, mutant: MUTANTS["forgotten-pending"] };
  const report = await simulate(failed);
  const { options, report: small } = await shrink(failed, report, 120_000);
  expect(small.violation?.rule).toBe(report.violation?.rule);
  expect(options.messages).toBe(1);
  expect(options.connections).toBeLessThanOrEqual(2);
  expect(options.faults.split(",").length).toBeLessThan(faults.split(",").length);
  expect(excerpt(small.trace).at(-1)).toContain("VIOLATION");
});
