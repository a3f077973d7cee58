import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Streams } from "../../shared/ports.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import type { StreamRow } from "../../shared/streams/stream.ts";
import { NOW } from "../support/message.ts";

const START = NOW * 1000;
const times = { at: NOW, until: NOW + 60_000, expiresAt: NOW + 86_460_000 };

const aRow = (seq: number, fields: Partial<StreamRow> = {}): StreamRow => ({
  ...{ seq, next: seq + 1, messages: [`{"id":"m-${seq}"}`], run: "run-1" },
  ...times,
  ...fields,
});
const aRoot = (next: number): StreamRow => ({ seq: 0, next, messages: [], ...times });

/** What every Streams owes its callers, whatever it is made of. */
export function streamsContract(open: () => Streams): void {
  const aStream = () => `topic:${randomUUID()}` as Tag;

  test("has neither head, root nor rows of a stream that nobody started", async () => {
    const [streams, stream] = [open(), aStream()];
    expect(await streams.last(stream)).toBeUndefined();
    expect(await streams.root(stream)).toBeUndefined();
    expect(await streams.read(stream, 1, Number.MAX_SAFE_INTEGER)).toEqual({ rows: [], isComplete: true });
  });

  test("returns a row as it was written, with all that is in it and nothing that is not", async () => {
    const [streams, stream] = [open(), aStream()];
    const full = aRow(START, { next: START + 3, messages: ['{"data":"é💌"}', "", "{}"] });
    const blocker = { seq: START + 3, next: START + 3, messages: [], ...times };
    expect(await streams.start(stream, aRoot(START), undefined)).toBe(true);
    expect(await streams.append(stream, full)).toBeUndefined();
    expect(await streams.append(stream, blocker)).toBeUndefined();
    expect(await streams.root(stream)).toEqual(aRoot(START));
    expect(await streams.last(stream)).toEqual(blocker);
    expect(await streams.read(stream, 1, START + 3)).toEqual({ rows: [full, blocker], isComplete: true });
  });

  test("keeps the largest number to the last digit", async () => {
    const [streams, stream] = [open(), aStream()];
    const row = aRow(Number.MAX_SAFE_INTEGER - 1);
    await streams.append(stream, row);
    expect(await streams.last(stream)).toEqual(row);
    expect(await streams.append(stream, aRow(Number.MAX_SAFE_INTEGER - 2))).toBeUndefined();
  });

  test("has the row with the highest number as the last, by value and not as text", async () => {
    const [streams, stream] = [open(), aStream()];
    for (const seq of [9, 10, 100, 99]) await streams.append(stream, aRow(seq));
    expect((await streams.last(stream))?.seq).toBe(100);
    expect((await streams.read(stream, 9, 99)).rows.map(({ seq }) => seq)).toEqual([9, 10, 99]);
  });

  test("reads both ends of a range, and no other stream", async () => {
    const [streams, stream, other] = [open(), aStream(), aStream()];
    for (const seq of [4, 5, 6, 7]) await streams.append(stream, aRow(seq));
    await streams.append(other, aRow(8));
    const { rows } = await streams.read(stream, 5, 6);
    expect(rows.map(({ seq }) => seq)).toEqual([5, 6]);
    expect((await streams.last(stream))?.seq).toBe(7);
  });

  test("reads at most a page, and says that there is more", async () => {
    const [streams, stream] = [open(), aStream()];
    const large = (seq: number) =>
      aRow(seq, { next: seq + 2, messages: ["x".repeat(150_000), "y".repeat(150_000)] });
    for (const seq of [1, 3, 5, 7, 9]) await streams.append(stream, large(seq));
    const first = await streams.read(stream, 1, 10);
    expect(first.isComplete).toBe(false);
    expect(first.rows.length).toBeGreaterThan(0);
    const rest = await streams.read(stream, first.rows.at(-1)?.next ?? 0, 10);
    expect([...first.rows, ...rest.rows].map(({ seq }) => seq)).toEqual([1, 3, 5, 7, 9]);
    expect(rest.isComplete).toBe(true);
  });

  test("never writes over a row, and returns the one that is in the way", async () => {
    const [streams, stream] = [open(), aStream()];
    const first = aRow(5);
    await streams.append(stream, first);
    expect(await streams.append(stream, aRow(5, { run: "run-2", messages: ["{}"] }))).toEqual(first);
    expect(await streams.last(stream)).toEqual(first);
  });

  test("of many appends with the same number one is written, and the others get it", async () => {
    const [streams, stream] = [open(), aStream()];
    const rows = Array.from({ length: 8 }, (_, i) => aRow(5, { run: `run-${i}` }));
    const found = await Promise.all(rows.map((row) => streams.append(stream, row)));
    const written = rows.filter((_, i) => found[i] === undefined);
    expect(written).toHaveLength(1);
    expect(found.filter((row) => row !== undefined)).toEqual(Array(7).fill(written[0]));
    expect(await streams.last(stream)).toEqual(written[0]);
  });

  test("writes a root that is absent or as it was seen, and no other", async () => {
    const [streams, stream] = [open(), aStream()];
    expect(await streams.start(stream, aRoot(10), 5)).toBe(true);
    expect(await streams.start(stream, aRoot(20), undefined)).toBe(false);
    expect(await streams.start(stream, aRoot(20), 11)).toBe(false);
    expect(await streams.root(stream)).toEqual(aRoot(10));
    expect(await streams.start(stream, aRoot(20), 10)).toBe(true);
    expect(await streams.start(stream, aRoot(30), 10)).toBe(false);
    expect(await streams.root(stream)).toEqual(aRoot(20));
  });

  test("of many starts that saw the same root one is written", async () => {
    const [streams, stream] = [open(), aStream()];
    for (const seen of [undefined, 10]) {
      const roots = seen === undefined ? [10, 10, 10] : [20, 21, 22];
      const won = await Promise.all(roots.map((next) => streams.start(stream, aRoot(next), seen)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await streams.root(stream))?.next).toBe(roots[won.indexOf(true)]);
    }
  });

  test("empties one message of a row that the run wrote, and changes nothing else", async () => {
    const [streams, stream] = [open(), aStream()];
    const row = aRow(5, { next: 8, messages: ["a", "b", "c"] });
    await streams.append(stream, row);
    expect(await streams.empty(stream, { seq: 5, index: 1, run: "run-1" })).toBe(true);
    expect(await streams.last(stream)).toEqual({ ...row, messages: ["a", "", "c"] });
    expect(await streams.empty(stream, { seq: 5, index: 1, run: "run-1" })).toBe(true);
  });

  test.each([
    { why: "another run wrote", place: { seq: 5, index: 0, run: "run-2" } },
    { why: "is not there", place: { seq: 6, index: 0, run: "run-1" } },
    { why: "has no such message", place: { seq: 5, index: 1, run: "run-1" } },
  ])("empties nothing of a row that $why", async ({ place }) => {
    const [streams, stream] = [open(), aStream()];
    await streams.append(stream, aRow(5));
    expect(await streams.empty(stream, place)).toBe(false);
    expect((await streams.read(stream, 1, 9)).rows).toEqual([aRow(5)]);
  });

  test("does not see changes made to a row after it was written or returned", async () => {
    const [streams, stream] = [open(), aStream()];
    const messages = ["a", "b"];
    await streams.append(stream, aRow(5, { next: 7, messages }));
    messages.push("c");
    ((await streams.last(stream))?.messages as string[]).push("d");
    expect((await streams.last(stream))?.messages).toEqual(["a", "b"]);
  });
}
