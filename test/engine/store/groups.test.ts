import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Groups } from "../../../local/engine/store/groups.ts";
import { unpack } from "../../../local/engine/store/rows.ts";

const FULL = new Error("full");
const KEY = fc.constantFrom(1, 2);
const STEP = fc.oneof(
  fc.record({
    kind: fc.constantFrom("write" as const, "later" as const),
    keys: fc.uniqueArray(KEY, { minLength: 1 }),
    isDeleted: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("turn" as const) }),
);

/** A change that nobody waits for fails, fails again alone, and was replaced by a write meanwhile, which fails too. */
const REPLACED_WHILE_TRIED_AGAIN = [
  { kind: "later" as const, keys: [1 as const], isDeleted: false },
  { kind: "write" as const, keys: [2 as const], isDeleted: false },
  { kind: "turn" as const },
  { kind: "write" as const, keys: [1 as const], isDeleted: false },
  { kind: "turn" as const },
  { kind: "turn" as const },
];

/** A disk whose commits end when it is told, as it is told. */
function disk() {
  const rows = new Map<unknown, unknown>();
  const open: { settle(isKept: boolean): void }[] = [];
  return {
    rows,
    settle: (isKept: boolean) => open.shift()?.settle(isKept),
    commit: (packed: Parameters<typeof unpack>[0]) =>
      new Promise((resolve, reject) =>
        open.push({
          settle(isKept) {
            if (!isKept) return reject(FULL);
            for (const [, key, value] of unpack(packed))
              if (value === null) rows.delete(key);
              else rows.set(key, value);
            resolve(true);
          },
        }),
      ),
  };
}

test("after any faults a row is as the last change left it that was resolved or that nobody waits for", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { maxLength: 25 }),
      fc.array(fc.constantFrom(true, true, false), { maxLength: 12 }),
      async (steps, faults) => {
        const { rows, settle, commit } = disk();
        const groups = new Groups(commit);
        const said: { key: number; value: string | undefined; isKept: boolean }[] = [];
        let count = 0;
        for (const step of steps) {
          if (step.kind === "turn") {
            await turn();
            settle(!(faults.pop() ?? false));
            await turn();
            continue;
          }
          const value = step.isDeleted ? undefined : `${count++}`;
          const changes = step.keys.map((key) => ({
            table: "entries" as const,
            key,
            ...(value === undefined ? {} : { value }),
          }));
          const entries = step.keys.map((key) => ({ key, value, isKept: step.kind === "later" }));
          said.push(...entries);
          groups.add(changes, step.kind === "later");
          for (const { change } of [...groups.unflushed.entries.entries()].map(([, row]) => row))
            if (step.keys.some((key) => key === change.key)) expect(change.value).toBe(value);
          if (step.kind === "write")
            groups.flushed().then(
              () => {
                for (const entry of entries) entry.isKept = true;
              },
              (fault: unknown) => expect(fault).toBe(FULL),
            );
        }
        const flushed = groups.flushed().catch(() => groups.flushed());
        for (let round = 0; round < 4; round++) {
          await turn();
          settle(true);
        }
        await flushed;
        await turn();
        const expected = new Map<number, string | undefined>();
        for (const { key, value, isKept } of said) if (isKept) expected.set(key, value);
        for (const key of [1, 2] as const) expect(rows.get(key)).toBe(expected.get(key));
        expect(groups.unflushed.entries.size).toBe(0);
      },
    ),
    { numRuns: 500, examples: [[REPLACED_WHILE_TRIED_AGAIN, [true, true, true]]] },
  );
});
