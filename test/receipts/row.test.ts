import { expect, test } from "vitest";
import { NO_PROGRESS } from "../../shared/receipts/receipt.ts";
import {
  dedupeUntil,
  detailPart,
  jobPart,
  MESSAGE_PART,
  NO_DETAILS,
  partOf,
  placeOf,
  progressOf,
  type ReceiptRow,
} from "../../shared/receipts/row.ts";
import { aJob, aMessage, NOW } from "../support/message.ts";

const { producer, id } = aMessage();
const row = (fields: Partial<ReceiptRow> = {}): ReceiptRow => ({
  ...{ v: 1, producer, id, part: MESSAGE_PART, updatedAt: NOW },
  ...fields,
});

test("an id is free again its dedupe seconds after the message was accepted", () => {
  expect(dedupeUntil(aMessage({ dedupeSeconds: 300 }))).toBe(NOW + 300_000);
});

test("a job's row has the range in its name, and details sort after every row that a receipt is folded from", () => {
  const range = { from: "40", to: "80" };
  expect(partOf(aJob())).toBe("message");
  const part = partOf({ ...aJob({ acceptanceId: "acc" }), range });
  expect(part).toBe("job#acc#40-80");
  expect(detailPart(part, "run-1")).toBe("names#job#acc#40-80#run-1");
  const details = detailPart(MESSAGE_PART, "run-1");
  const all = [details, MESSAGE_PART, jobPart("acc", range), jobPart("zzz", range)];
  expect(all.toSorted().at(-1)).toBe(details);
});

test.each<{ of: string; has: Partial<ReceiptRow>; place: object }>([
  { of: "its number, if it has one", has: { seq: 9, after: 7 }, place: { seq: 9 } },
  { of: "the number 0", has: { seq: 0 }, place: { seq: 0 } },
  { of: "the number before its first claim", has: { after: 0 }, place: { after: 0 } },
  { of: "nothing, if no stream is kept", has: {}, place: {} },
])("a run that claims a row learns $of", ({ has, place }) => {
  expect(placeOf(row(has))).toEqual(place);
});

test("a run goes on from what the run before it left", () => {
  expect(progressOf(row(), NO_DETAILS)).toEqual({ ...NO_PROGRESS, rounds: 0, pending: [], failed: [] });
  const counts = { delivered: 1, gone: 2, failed: 3 } as unknown as NonNullable<ReceiptRow["counts"]>;
  const left = row({ counts, from: "7f", rounds: 3 });
  const details = { pending: [{ connectionId: "c1=", connectedAt: NOW }], failed: [] };
  expect(progressOf(left, details as never)).toEqual({
    ...NO_PROGRESS,
    ...{ counts, from: "7f", rounds: 3, pending: details.pending, failed: [] },
  });
});
