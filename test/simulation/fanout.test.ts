import { expect, test } from "vitest";
import { type FanoutMutant, type FanoutPost, simulateFanout } from "../../simulation/fanout/simulate.ts";

/** The simulation has its own time; the machine may be slow. */
const TIMEOUT = 600_000;

const MAILING: FanoutPost = { audience: 1_000_000, priority: "low", at: 0 };

/** How many times as long an alert that is posted `at` milliseconds takes behind a mailing as it takes alone. */
async function slowness({
  at = 8_000,
  mailing = MAILING,
  mutant = {} as FanoutMutant,
} = {}): Promise<number> {
  const alert: FanoutPost = { audience: 6_000, priority: "high", at };
  return (await simulateFanout([mailing, alert], mutant)) / (await simulateFanout([alert], mutant));
}

// The runs of the mailing have their shares by then. Their beats stand at other places of their half seconds each time.
test.each([8_000, 8_130, 8_290, 8_410, 9_000])(
  "a high message to 6,000 behind a low one to 1 M takes at most 1.5 times as long as alone, %i ms after it",
  { timeout: TIMEOUT },
  async (at) => {
    expect(await slowness({ at })).toBeLessThanOrEqual(1.5);
  },
);

test(
  "it takes a fraction of the time that the mailing would keep it waiting in one lane",
  {
    timeout: TIMEOUT,
  },
  async () => {
    const mailing = { ...MAILING, audience: 100_000 };
    expect(await slowness({ at: 6_000, mailing, mutant: { hasOneLane: true } })).toBeGreaterThan(5);
  },
);

test("without weights it takes longer", { timeout: TIMEOUT }, async () => {
  expect(await slowness({ mutant: { hasNoWeights: true } })).toBeGreaterThan(1.5);
});
