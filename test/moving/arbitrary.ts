import fc from "fast-check";
import type { Content } from "../../shared/moving/writer.ts";
import { LANES } from "../../shared/protocol/lane.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { ConnectionId, UserId } from "../../shared/protocol/tag.ts";
import { JOB_ENDINGS } from "../../shared/receipts/receipt.ts";
import type { Details, ReceiptRow } from "../../shared/receipts/row.ts";
import type { StreamName, StreamRow } from "../../shared/streams/stream.ts";
import { connectionIds, messageIds, users } from "../support/arbitrary.ts";

const text = fc.string({ unit: "binary", maxLength: 20 });
const time = fc.nat();
const optional = { requiredKeys: [] };

const range = fc.constantFrom({ from: "00000000", to: "80000000" }, { from: "80000000", to: "g" });

/** Rows of a receipt with any of their fields, as none is written: what reads them must not care. */
export const receiptRows: fc.Arbitrary<ReceiptRow> = fc
  .tuple(
    fc.record({ producer: users, id: messageIds, updatedAt: time }),
    fc.record(
      {
        ...{
          acceptanceId: text,
          dedupeUntil: time,
          run: text,
          leaseUntil: time,
          receive: time,
          deaths: time,
        },
        ...{
          seq: time,
          after: time,
          pending: time,
          from: text,
          rounds: time,
          reason: text,
          cancelledAt: time,
        },
        time: fc.constant("2026-01-01T00:00:00.000Z"),
        onFinalReceive: fc.boolean(),
        counts: fc.record({ sent: time, gone: time, failed: time }),
        split: fc.array(range, { maxLength: 2 }),
        queued: fc.boolean(),
        ending: fc.constantFrom(...JOB_ENDINGS),
        details: text,
      },
      optional,
    ),
  )
  .map(([{ producer, id, updatedAt }, fields]) => ({
    ...{ v: 1, producer: producer as UserId, id: id as MessageId, part: "message", updatedAt },
    ...fields,
  }));

export const details: fc.Arbitrary<Details> = fc.record({
  pending: fc.array(fc.record({ connectionId: connectionIds, connectedAt: time }), { maxLength: 3 }),
  failed: fc.array(connectionIds, { maxLength: 3 }),
}) as fc.Arbitrary<{
  pending: { connectionId: ConnectionId; connectedAt: number }[];
  failed: ConnectionId[];
}>;

/** A stream: its head, its root, and the rows between, as an export has them. */
const stream = (name: string) =>
  fc
    .record({
      start: fc.integer({ min: 1, max: 1e9 }),
      sizes: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }),
      text,
    })
    .map(({ start, sizes, text }): Content[] => {
      const times = { at: 1, until: 2, expiresAt: 3_000 };
      const rows: StreamRow[] = [{ seq: 0, next: start, messages: [], ...times }];
      let next = start;
      for (const size of sizes) {
        const seq = next;
        next += size;
        rows.push({ seq, next, messages: Array<string>(size).fill(text), run: "r", ...times });
      }
      const head = rows.pop();
      return (head ? [head, ...rows] : []).map((row) => ({
        kind: "stream",
        stream: name as StreamName,
        row,
      }));
    });

/** What stands between the first and the last line of an export. */
export const contents: fc.Arbitrary<Content[]> = fc
  .record({
    streams: fc.tuple(stream("topic:orders"), stream("user:ann")),
    receipts: fc.array(fc.record({ row: receiptRows, names: details, expiresAt: time }), { maxLength: 3 }),
    deadLetters: fc.array(
      fc.record(
        { body: text, sentAt: time, reason: text, lane: fc.constantFrom(...LANES) },
        { requiredKeys: ["body", "sentAt"] },
      ),
      { maxLength: 3 },
    ),
    waiting: fc.array(
      fc.record(
        { body: text, sentAt: time, receives: time, lane: fc.constantFrom(...LANES), delayedUntil: time },
        { requiredKeys: ["body", "sentAt", "receives", "lane"] },
      ),
      { maxLength: 4 },
    ),
  })
  .map(({ streams, receipts, deadLetters, waiting }): Content[] => [
    ...streams.flat(),
    ...receipts.map((receipt) => ({ kind: "receipt" as const, ...receipt })),
    ...deadLetters.map((letter, i) => ({ kind: "dead-letter" as const, entry: String(100 + i), ...letter })),
    ...waiting.map((entry, i) => ({ kind: "waiting" as const, entry: String(7 * i + 1), ...entry })),
  ]);
