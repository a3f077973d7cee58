import { describe, expect, test } from "vitest";
import { currentHead, headOf, knownHead } from "../../../shared/pipeline/streams/head.ts";
import { startedHead } from "../../../shared/pipeline/streams/start.ts";
import type { StreamRow } from "../../../shared/streams/stream.ts";
import { HOUR, ORDERS, oneStream, RETENTION } from "./support.ts";

/** Rows of a stream, with `left`: the hours until DynamoDB may delete a row. It counts until 6 h before. */
type Row = Pick<StreamRow, "seq" | "next"> & { readonly left: number };

const root = (next: number, left: number): Row => ({ seq: 0, next, left });
const row = (seq: number, next: number, left: number): Row => ({ seq, next, left });
const blocker = (seq: number, left: number): Row => ({ seq, next: seq, left });

/** A stream that consists of these rows, at the present time of its clock. */
async function streamOf(rows: readonly Row[]) {
  const under = oneStream();
  const at = under.clock.now();
  const stored = rows.map(
    ({ seq, next, left }): StreamRow => ({
      ...{ seq, next, at, until: at, expiresAt: at + left * HOUR },
      messages: seq === 0 ? [] : Array.from({ length: next - seq }, () => ""),
    }),
  );
  for (const each of stored) await under.memory.append(ORDERS, each);
  return { ...under, at, stored };
}

describe("the head of a stream", () => {
  test.each([
    { of: "its start", rows: [root(100, 7)], is: 0, calls: ["last"] },
    { of: "its last row", rows: [root(100, 7), row(100, 103, 7), row(103, 104, 7)], is: 2, calls: ["last"] },
    { of: "its last row, without its root", rows: [row(100, 103, 7)], is: 0, calls: ["last"] },
    {
      of: "a new start above a blocker",
      rows: [root(900, 7), row(100, 103, 5), blocker(103, 9)],
      ...{ is: 0, calls: ["last", "root"] },
    },
    {
      of: "a new start above rows that no longer count",
      rows: [root(900, 7), row(100, 103, 6)],
      ...{ is: 0, calls: ["last", "root"] },
    },
  ])("is $of", async ({ rows, is, calls: expected }) => {
    const { deps, calls, stored } = await streamOf(rows);
    expect(await currentHead(deps, ORDERS)).toEqual({ kind: "head", row: stored[is] });
    expect(calls).toEqual(expected);
    expect(await headOf(deps, ORDERS)).toBe((stored[is]?.next ?? 0) - 1);
  });

  test("is none in a stream without rows", async () => {
    const { deps } = oneStream();
    expect(await currentHead(deps, ORDERS)).toEqual({
      ...{ kind: "none", remains: { expiresAt: 0 }, isBlocked: false },
    });
    expect(await headOf(deps, ORDERS)).toBeUndefined();
  });

  test.each([
    { of: "an old start", rows: [root(100, 6)], next: 100, left: 6, isBlocked: false, calls: ["last"] },
    { of: "old rows", rows: [root(100, 3), row(100, 103, 5)], next: 103, left: 5, isBlocked: false },
    { of: "rows older than the root", rows: [root(100, 5), row(100, 103, 4)], next: 103, left: 5 },
    { of: "an old start above a blocker", rows: [root(900, 5), blocker(103, 3)], next: 900, left: 5 },
    { of: "an old start and an older blocker", rows: [root(103, 5), blocker(103, 9)], next: 103, left: 9 },
    { of: "a blocker", rows: [root(100, 5), blocker(103, 9)], next: 103, left: 9 },
    {
      of: "a blocker and a root that would count",
      rows: [root(100, 7), blocker(103, 9)],
      next: 103,
      left: 9,
    },
  ])("is none in what is left as $of", async ({ rows, next, left, calls: expected }) => {
    const { deps, calls, at } = await streamOf(rows);
    const last = rows.at(-1);
    expect(await currentHead(deps, ORDERS)).toEqual({
      kind: "none",
      remains: { next, expiresAt: at + left * HOUR },
      rootNext: rows[0]?.next,
      isBlocked: last?.seq === last?.next && last?.seq === next,
    });
    expect(calls).toEqual(expected ?? ["last", "root"]);
  });

  test.each([
    { of: "an old row", rows: [row(100, 103, 5)], isBlocked: false },
    { of: "a blocker", rows: [blocker(103, 9)], isBlocked: true },
  ])("is none in $of whose root is gone", async ({ rows, isBlocked }) => {
    const { deps, stored } = await streamOf(rows);
    expect(await currentHead(deps, ORDERS)).toEqual({ kind: "none", remains: stored[0], isBlocked });
  });

  test("is read at most once a second for claims by a container that remembers, and each time by another", async () => {
    const { deps, calls, clock } = await streamOf([root(100, 7)]);
    for (const elapsed of [0, 999, 1]) {
      clock.advance(elapsed);
      expect(await knownHead(deps, ORDERS)).toBe(99);
    }
    expect(calls).toEqual(["last", "last"]);
    const { heads: _, ...forgetful } = deps;
    for (const _ of [1, 2]) expect(await knownHead(forgetful, ORDERS)).toBe(99);
    expect(calls).toHaveLength(4);
  });
});

test("a start that others keep changing ends with TABLE_UNAVAILABLE after 20 looks, with a pause before each later one", async () => {
  const { deps, calls } = oneStream();
  const pauses: number[] = [];
  const clock = { ...deps.clock, pause: async (milliseconds: number) => void pauses.push(milliseconds) };
  const streams = { ...deps.streams, start: async () => false };
  await expect(startedHead({ ...deps, clock, streams }, ORDERS, RETENTION)).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
    message: expect.stringContaining(`stream ${ORDERS} keeps changing`),
  });
  expect(calls.filter((name) => name === "last")).toHaveLength(20);
  // Full jitter of 5 ms · 2ⁿ, at most 60 ms; `random` is 0.5.
  expect(pauses).toEqual([2.5, 5, 10, 20, ...Array.from({ length: 15 }, () => 30)]);
});
