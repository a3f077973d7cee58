import type { Simulation } from "../world/world.ts";
import { jobIn, recordOf } from "./history.ts";
import { isOver, type MessageRecord, nameOf } from "./message-record.ts";
import { checkCounts, lookAt } from "./receipts.ts";

/** Rules that hold once nothing moves any more and all leases are over. */
export async function judge(world: Simulation): Promise<void> {
  const { book } = world.oracle;
  const dead = new Set(world.queue.deadLetters.map(({ body }) => recordOf(book, jobIn(body))));
  for (const record of book.records) await judgeOne(world, record, dead);
}

async function judgeOne(
  { oracle }: Simulation,
  record: MessageRecord,
  dead: ReadonlySet<MessageRecord | undefined>,
) {
  const { book, violate } = oracle;
  if (record.accepted && !record.message) violate("202 means durable", nameOf(record));
  if (!record.message || record.dropped) return;
  if (book.nameOf(record.producer, record.id).shown !== record) {
    if (record.jobRuns.length === 0) violate("every message ends", `no run met or dropped ${nameOf(record)}`);
    return;
  }
  const was = record.receipt?.state;
  await lookAt(book, record.producer, record.id);
  const { receipt } = record;
  if (!receipt || receipt.state === "delivering" || receipt.state === "retrying") {
    const where = dead.has(record) ? "lies in the dead-record queue" : "is nowhere";
    return violate("every message ends", `${nameOf(record)} is ${receipt?.state ?? was} and ${where}`);
  }
  if (receipt.state === "dead" && !dead.has(record)) {
    violate("what is dead lies in the dead-record queue", nameOf(record));
  }
  if (isOver(record)) checkCounts(oracle, record, receipt);
}
