import { describe, expect, test } from "vitest";
import { outageFrom, SCENE_FAULTS } from "../../simulation/arguments.ts";
import { simulate } from "../../simulation/simulate.ts";
import { OUTAGES } from "../../simulation/world/outage.ts";

const SMALL = { seed: 1, messages: 10, connections: 12, topics: 2, faults: SCENE_FAULTS };

// All kinds and lengths, up to half a day: npm run simulate:outages
describe.each(OUTAGES)("an outage is waited out: %s", (kind) => {
  test.each([
    { lasts: "20 seconds", plan: `${kind}:20` },
    { lasts: "five minutes", plan: `${kind}:300` },
    { lasts: "a moment between claim and settle", plan: `${kind}:2@claim` },
  ])("for $lasts", async ({ plan }) => {
    const { violation, endings } = await simulate({ ...SMALL, outage: outageFrom(plan) });
    expect(violation).toBeUndefined();
    expect(endings).not.toHaveProperty("dead");
    expect(endings["delivered"]).toBeGreaterThan(0);
  });
});

test("poison ends dead after five deaths, in an outage too, and its neighbours are delivered", async () => {
  for (const outage of [{}, { outage: outageFrom("gateway-503:300") }]) {
    const { violation, endings } = await simulate({
      ...SMALL,
      ...outage,
      seed: 1,
      messages: 20,
      poison: 0.05,
    });
    expect(violation).toBeUndefined();
    expect(endings["dead"]).toBe(1);
  }
});

test("clients that do not read delay only themselves", async () => {
  const { violation } = await simulate({ ...SMALL, faults: "none", messages: 20, connections: 60, slow: 5 });
  expect(violation).toBeUndefined();
});
