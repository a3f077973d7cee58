import { expect, test } from "vitest";
import type { StreamDeps } from "../../../shared/pipeline/streams/head.ts";
import type { StreamRow } from "../../../shared/streams/stream.ts";
import { type Change, type Met, runSchedule } from "./schedule.ts";

const SEEDS = 150;
const met = (): Met => ({ recovered: 0, lost: 0, conflicts: 0, restarts: 0, paged: 0 });

test("in random schedules no subscriber loses, repeats or invents a message, and no loss is invented", async () => {
  const all = met();
  for (let seed = 0; seed < SEEDS; seed++) {
    await runSchedule(seed, all).catch((fault: unknown) => {
      throw new Error(`seed ${seed}: ${String(fault)}`, { cause: fault });
    });
  }
  for (const [kind, count] of Object.entries(all)) expect(count, kind).toBeGreaterThan(SEEDS / 10);
});

const withStreams = (streams: (deps: StreamDeps) => Partial<StreamDeps["streams"]>): Change => {
  return (deps) => ({ ...deps, streams: { ...deps.streams, ...streams(deps) } });
};

const endless = (row: StreamRow | undefined) => row && { ...row, until: Number.POSITIVE_INFINITY };

/** Rules of DESIGN §10, each left out. */
const LEFT_OUT: readonly { rule: string; change: Change }[] = [
  {
    rule: "an append takes its number only if nobody has it",
    change: withStreams(({ streams }) => ({
      append: async (stream, row) => {
        const found = await streams.append(stream, row);
        return found && found.messages.length > 0 && row.run ? undefined : found;
      },
    })),
  },
  {
    rule: "a blocker stands before the root",
    change: withStreams(({ streams }) => ({
      append: async (stream, row) => (row.messages.length === 0 ? undefined : streams.append(stream, row)),
    })),
  },
  {
    rule: "a root is written only if it is as it was read",
    change: withStreams(({ streams }) => ({
      start: async (stream, root) => streams.start(stream, root, (await streams.root(stream))?.next),
    })),
  },
  {
    rule: "the rows of a page are all that are there",
    change: withStreams(({ streams }) => ({
      read: async (stream, from, to) => {
        const page = await streams.read(stream, from, to);
        const rows = page.rows.length > 2 ? page.rows.toSpliced(1, 1) : page.rows;
        return { ...page, rows: rows.map((row, i) => (i === 1 ? { ...row, seq: rows[0]?.next ?? 0 } : row)) };
      },
    })),
  },
  {
    rule: "messages end with their seconds",
    change: withStreams(({ streams }) => ({
      last: async (stream) => endless(await streams.last(stream)),
      read: async (stream, from, to) => {
        const { rows, isComplete } = await streams.read(stream, from, to);
        return { rows: rows.flatMap((row) => endless(row) ?? []), isComplete };
      },
    })),
  },
];

test.each(LEFT_OUT)("the schedules find it if this does not hold: $rule", async ({ change }) => {
  let found: number | undefined;
  for (let seed = 0; seed < SEEDS && found === undefined; seed++) {
    await runSchedule(seed, met(), change).catch(() => {
      found = seed;
    });
  }
  expect(found).toBeDefined();
});
