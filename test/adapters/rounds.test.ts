import { expect, test } from "vitest";
import { inRounds } from "../../shared/adapters/dynamodb/unprocessed.ts";
import { memoryClock } from "../../testing/memory/clock.ts";

const named = (name: string) => Object.assign(new Error(`${name} it is`), { name });

/** Items that a table processes in rounds, of which each has a fate: a fault, or how many items it processes. */
async function inFates(fates: readonly (Error | number)[], deadlineMs = 60_000) {
  const clock = memoryClock();
  const rounds: number[] = [];
  const call = async (items: readonly string[]) => {
    const fate = fates[rounds.length] ?? items.length;
    rounds.push(items.length);
    if (fate instanceof Error) throw fate;
    return items.slice(fate);
  };
  const fault = await inRounds({ clock, random: () => 0.5, deadlineMs }, ["a", "b", "c"], call).catch(
    (it) => it,
  );
  return { rounds, fault, milliseconds: clock.monotonic() };
}

test.each([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
])("a call that is throttled left everything, and is made again after a pause: %s", async (name) => {
  const { rounds, fault, milliseconds } = await inFates([named(name), 1, named(name)]);
  expect({ rounds, fault }).toEqual({ rounds: [3, 3, 2, 2], fault: undefined });
  expect(milliseconds).toBe(25 + 50 + 100);
});

test("any other fault is told at once", async () => {
  const { rounds, fault } = await inFates([1, named("ResourceNotFoundException")]);
  expect(rounds).toEqual([3, 2]);
  expect(fault).toMatchObject({ name: "ResourceNotFoundException" });
});

test("a table that throttles past the deadline is a fault that says why", async () => {
  const throttled = named("ThrottlingException");
  const { rounds, fault } = await inFates(Array(99).fill(throttled), 1_000);
  expect(rounds.length).toBeLessThan(10);
  expect(fault).toMatchObject({
    code: "TABLE_UNAVAILABLE",
    message: "3 of 3 items stayed unprocessed",
    cause: throttled,
  });
});
