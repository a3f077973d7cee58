import { expect, test } from "vitest";
import { argumentsFrom } from "../../simulation/arguments.ts";
import { dice } from "../../simulation/world/dice.ts";
import { FAULT_NAMES, FAULTS, faultRates } from "../../simulation/world/faults.ts";

test("a seed is enough, and a budget means as many seeds as fit", () => {
  expect(argumentsFrom(["--seed", "9"])).toMatchObject({ seed: 9, seeds: 1, faults: "all", json: false });
  expect(argumentsFrom(["--budget", "60"])).toMatchObject({ seed: 1, budget: 60_000, seeds: 999_999_999 });
});

test.each([
  { args: ["--seed", "x"], says: "--seed must be a whole number, got x" },
  { args: ["--mutant", "nobody"], says: "there is no mutant nobody; there are no-claim" },
  { args: ["--sead", "1"], says: "--sead" },
])("$args is refused and says why", ({ args, says }) => {
  expect(() => argumentsFrom(args)).toThrow(says);
});

test("faults are all, none, or by name with a rate", () => {
  const throws = dice("rates");
  expect(Object.keys(faultRates("all", throws))).toEqual(FAULT_NAMES);
  expect(faultRates("none", throws)).toEqual({});
  expect(faultRates("post-lie,run-crash=0.5", throws)).toEqual({
    "post-lie": FAULTS["post-lie"],
    "run-crash": 0.5,
  });
  expect(() => faultRates("typo", throws)).toThrow("unknown fault typo; known are queue-twice");
  expect(() => faultRates("post-lie=2", throws)).toThrow("the rate of post-lie must be 0-1, got 2");
});
