import { expect, test } from "vitest";
import { replyBytes, type Walk, walkOver, withSeq } from "../../shared/streams/reply.ts";
import type { StreamRow } from "../../shared/streams/stream.ts";
import { NOW } from "../support/message.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;
const frameOf = (id: string, data: unknown = 1) => JSON.stringify({ type: "message", id, data });
const aRow = (seq: number, messages: readonly string[], until = NOW + 1): StreamRow => ({
  ...{ seq, next: seq + messages.length, messages },
  ...{ at: NOW, until, expiresAt: NOW + 86_400_000 },
});
const from = (next: number, budgetBytes = 100_000): Walk => ({
  ...{ messages: [], next, budgetBytes },
  omitted: false,
});
const [A, B, C] = ["a", "b", "c"].map((id) => frameOf(id)) as [string, string, string];

test("a frame takes the bytes of its UTF-8, of the largest number and of a comma", () => {
  const frame = frameOf("é", "ü".repeat(100));
  expect(replyBytes(frame)).toBe(Buffer.byteLength(`${withSeq(frame, LARGEST)},`));
  expect(JSON.parse(withSeq(frame, 17))).toEqual({ ...JSON.parse(frame), seq: 17 });
});

test.each([
  { why: "of all rows", rows: [aRow(5, [A]), aRow(6, [B, C])], next: 5, takes: [5, 6, 7], ends: "rows" },
  { why: "from within a row", rows: [aRow(5, [A, B, C])], next: 6, takes: [6, 7], ends: "rows" },
  { why: "that have data", rows: [aRow(5, [A, "", C])], next: 5, takes: [5, 7], ends: "rows" },
  { why: "up to a hole", rows: [aRow(5, [A]), aRow(7, [B])], next: 5, takes: [5], ends: "lost" },
  {
    why: "up to a blocker",
    rows: [aRow(5, [A]), aRow(6, []), aRow(9, [B])],
    next: 5,
    takes: [5],
    ends: "lost",
  },
  { why: "up to an old one", rows: [aRow(5, [A]), aRow(6, [B], NOW)], next: 5, takes: [5], ends: "lost" },
  { why: "past old empty ones", rows: [aRow(5, [""], NOW), aRow(6, [B])], next: 5, takes: [6], ends: "rows" },
  { why: "of no row before", rows: [aRow(3, [A]), aRow(4, [B])], next: 5, takes: [], ends: "rows" },
])("a walk takes the messages $why", ({ rows, next, takes, ends }) => {
  const walk = from(next);
  expect(walkOver(walk, rows, NOW)).toBe(ends);
  expect(walk.messages.map(({ seq }) => seq)).toEqual(takes);
  expect(walk.next).toBe(ends === "lost" ? 6 : (rows.at(-1)?.next ?? 0));
});

test("a walk stops before the message that does not fit, and takes one that fits to the byte", () => {
  const exact = replyBytes(A) + replyBytes(B);
  const walk = from(5, exact);
  expect(walkOver(walk, [aRow(5, [A, B, "", C])], NOW)).toBe("full");
  expect(walk).toMatchObject({ next: 8, budgetBytes: 0, omitted: false });
  const less = from(5, exact - 1);
  walkOver(less, [aRow(5, [A, B])], NOW);
  expect(less.next).toBe(6);
});

test("a message that fits no reply comes without its data", () => {
  const longest = frameOf("long", "x".repeat(122_880 - replyBytes(frameOf("long", ""))));
  const longer = frameOf("long", "x".repeat(122_881 - replyBytes(frameOf("long", ""))));
  const fits = from(5, 122_880);
  expect(walkOver(fits, [aRow(5, [longest])], NOW)).toBe("rows");
  expect(fits).toMatchObject({ omitted: false, messages: [{ frame: longest }] });
  const walk = from(5, 122_880);
  expect(walkOver(walk, [aRow(5, [longer, A])], NOW)).toBe("rows");
  expect(walk.omitted).toBe(true);
  expect(walk.messages.map(({ frame }) => JSON.parse(frame))).toEqual([
    { type: "message", id: "long", omitted: true },
    JSON.parse(A),
  ]);
});
