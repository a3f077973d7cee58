import { expect, test } from "vitest";
import { type Withdrawal, withdrawalOf } from "../../shared/receipts/claimability.ts";
import { MESSAGE_PART, type ReceiptRow } from "../../shared/receipts/row.ts";
import { aJob, aMessage, NOW } from "../support/message.ts";

const { producer, id, acceptanceId } = aMessage();
const own = (fields: Partial<ReceiptRow> = {}): ReceiptRow => ({
  ...{ v: 1, producer, id, part: MESSAGE_PART, acceptanceId, updatedAt: NOW },
  ...fields,
});
/** The row that a cancel leaves of a message which no run has met. */
const { acceptanceId: _, ...unmet } = own();

test.each<{ of: string; row: ReceiptRow; is?: Withdrawal }>([
  { of: "nothing", row: own() },
  { of: "a cancel", row: own({ cancelledAt: NOW + 1 }), is: "cancelled" },
  { of: "a cancel of a dead letter", row: own({ cancelledAt: NOW + 1, ending: "dead" }), is: "cancelled" },
  { of: "a cancel that came too late", row: own({ cancelledAt: NOW + 1, ending: "delivered" }) },
  { of: "an ending", row: own({ ending: "dead" }) },
  { of: "a later acceptance of its id", row: own({ acceptanceId: "later" }), is: "replaced" },
  {
    of: "a cancel of a later acceptance of its id",
    row: own({ acceptanceId: "later", cancelledAt: NOW + 1 }),
    is: "replaced",
  },
  { of: "a cancel after it was accepted", row: { ...unmet, cancelledAt: NOW + 1 }, is: "cancelled" },
  { of: "a cancel at the moment it was accepted", row: { ...unmet, cancelledAt: NOW } },
  { of: "a cancel before it was accepted", row: { ...unmet, cancelledAt: NOW - 1 } },
  { of: "a row of no acceptance without a cancel", row: unmet },
  { of: "a job that was cancelled", row: own({ part: "job#x", cancelledAt: NOW + 1 }) },
  { of: "a job of another acceptance", row: own({ part: "job#x", acceptanceId: "later" }) },
])("after $of a message is withdrawn as: $is", ({ row, is }) => {
  expect(withdrawalOf(row, aJob())).toBe(is);
});
