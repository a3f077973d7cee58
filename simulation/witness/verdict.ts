import type { Job } from "../../shared/domain/message.ts";
import { fold } from "../../shared/domain/receipt-fold.ts";
import { MESSAGE_PART, partOf } from "../../shared/domain/receipt-row.ts";
import type { DeadLetter } from "../world/queue.ts";
import type { World } from "../world/world.ts";
import { isOver, type Letter, nameOf } from "./letter.ts";
import { checkCounts } from "./receipts.ts";

/**
 * Rules that hold once nothing moves any more and all leases are over. Answers how many messages SQS gave up without
 * their receipts knowing, which is the one thing that is not promised.
 */
export function judge(world: World): number {
  const dead = new Set(world.queue.deadLetters.map((letter) => jobIn(letter).message.acceptanceId));
  return world.witness.book.letters.filter((letter) => isUnwritten(world, letter, dead)).length;
}

function isUnwritten(world: World, letter: Letter, dead: ReadonlySet<string>): boolean {
  const { witness, scheduler } = world;
  const { message, producer, id } = letter;
  if (letter.accepted && !message) witness.violate("202 means durable", nameOf(letter));
  if (!message || letter.dropped) return false;
  const rows = world.rowsOf(producer, id);
  const own = rows.find(({ part }) => part === MESSAGE_PART);
  const receipt = fold(rows, scheduler.now());
  if (own && receipt && own.acceptanceId !== message.acceptanceId) {
    const cancelled = own.acceptanceId === undefined && receipt.state === "cancelled";
    if (!cancelled && !isOver(letter) && letter.receipt?.state !== "dead") {
      witness.violate("every message ends", `${nameOf(letter)} was neither met by a run nor dropped`);
    }
    return false;
  }
  if (!receipt || receipt.state === "delivering" || receipt.state === "retrying") {
    if (isGivenUp(world, letter)) return true;
    const where = dead.has(message.acceptanceId) ? "lies in the dead-letter queue" : "is nowhere";
    witness.violate("every message ends", `${nameOf(letter)} is ${receipt?.state ?? "unknown"} and ${where}`);
    return false;
  }
  if (isOver(letter) && letter.receipt?.state !== receipt.state) {
    const change = `${nameOf(letter)} was ${letter.receipt?.state} and is ${receipt.state}`;
    witness.violate("an ending never changes", change);
  }
  if (receipt.state === "dead" && !dead.has(message.acceptanceId)) {
    witness.violate("what is dead lies in the dead-letter queue", nameOf(letter));
  }
  checkCounts(witness, letter, receipt);
  return false;
}

/** Whether SQS moved a job by itself, and no run from the last regular receive on had written what became of it. */
function isGivenUp({ queue }: World, { message, servings }: Letter): boolean {
  return queue.deadLetters.some((dead) => {
    const job = jobIn(dead);
    if (dead.reason !== undefined || job.message.acceptanceId !== message?.acceptanceId) return false;
    const last = servings.findLast(({ part }) => part === partOf(job));
    return !last || last.receive < 1 || last.state !== "settled";
  });
}

const jobIn = ({ body }: DeadLetter): Job => JSON.parse(body) as Job;
