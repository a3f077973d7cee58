import { expect, test } from "vitest";
import {
  afterLoss,
  numbersFor,
  replyBytes,
  type Walk,
  walkOver,
  withSeq,
} from "../../shared/streams/reply.ts";
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

test.each([
  { why: "after its own row, if that is there but old", rows: [aRow(5, [A, B, C])], next: 6, on: 8 },
  { why: "after its own row, at its first number", rows: [aRow(5, [A, B])], next: 5, on: 7 },
  { why: "at the next row that is there", rows: [aRow(2, [A]), aRow(8, [B]), aRow(9, [C])], next: 5, on: 8 },
  {
    why: "at the next row, not in the one that ends before it",
    rows: [aRow(3, [A, B]), aRow(7, [C])],
    next: 5,
    on: 7,
  },
  { why: "past all that was read, if nothing is there", rows: [], next: 5, on: 21 },
  { why: "past all that was read, behind the rows", rows: [aRow(2, [A])], next: 5, on: 21 },
])("a walk over a loss goes on $why", ({ rows, next, on }) => {
  expect(afterLoss(next, rows, 20)).toBe(on);
});

const bytes = (count: number) => "x".repeat(count - 24);
test.each([
  {
    by: "the messages that it has",
    messages: [bytes(100), bytes(300)],
    head: [A],
    budget: 10_000,
    numbers: 50,
  },
  { by: "those of the head, if it has none", messages: [], head: [bytes(100)], budget: 10_000, numbers: 100 },
  { by: "1 KB each, if none is known", messages: [], head: [], budget: 102_400, numbers: 100 },
  { by: "1 KB each, and one for the rest", messages: [], head: [], budget: 102_401, numbers: 101 },
  { by: "ten, however large they are", messages: [bytes(50_000)], head: [], budget: 60_000, numbers: 10 },
  { by: "2,000, however small they are", messages: [bytes(30)], head: [], budget: 120_000, numbers: 2_000 },
])("the rest of a reply is filled by as many numbers as go by $by", ({ messages, head, budget, numbers }) => {
  const walk: Walk = { ...from(5, budget), messages: messages.map((frame, seq) => ({ seq, frame })) };
  expect(numbersFor(walk, aRow(5, head))).toBe(numbers);
});
