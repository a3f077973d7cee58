import type { Job } from "../shared/domain/message.ts";
import { fold, MESSAGE_PART, partOf } from "../shared/domain/receipt.ts";
import { isOver, type Letter, nameOf } from "./letter.ts";
import type { DeadLetter } from "./queue.ts";
import type { World } from "./world.ts";

/** The rules that hold once nothing moves any more and all leases are over. */
export function judge(world: World, rowsOf: WorldRows): void {
  const dead = world.queue.deadLetters.map((letter) => jobIn(letter).message.copy);
  for (const letter of world.witness.letters) judgeLetter(world, letter, rowsOf, new Set(dead));
}

type WorldRows = (producer: Letter["producer"], id: Letter["id"]) => Parameters<typeof fold>[0];

function judgeLetter(world: World, letter: Letter, rowsOf: WorldRows, dead: ReadonlySet<string>) {
  const { witness, scheduler } = world;
  const { message, producer, id } = letter;
  if (letter.accepted && !message) return witness.violate("202 means durable", nameOf(letter));
  if (!message) return;
  const rows = rowsOf(producer, id);
  const own = rows.find(({ part }) => part === MESSAGE_PART);
  const receipt = fold(rows, scheduler.now());
  if (!own || !receipt) {
    if (isUnwritten(letter, world)) return;
    if (dead.has(message.copy))
      return witness.violate("a dead letter has a receipt that says dead", nameOf(letter));
    return witness.violate("every message ends", `${nameOf(letter)} has no receipt`);
  }
  if (letter.dropped) return;
  if (own.copy !== message.copy) {
    if (isOver(letter) || letter.receipt?.state === "dead") return;
    if (own.copy === undefined && receipt.state === "cancelled") return;
    return witness.violate("every message ends", `${nameOf(letter)} was never met by a run, nor dropped`);
  }
  if (receipt.state === "delivering" || receipt.state === "retrying") {
    if (isUnwritten(letter, world)) return;
    const where = dead.has(message.copy) ? "and lies in the dead-letter queue" : "and is nowhere";
    return witness.violate("every message ends", `${nameOf(letter)} is ${receipt.state} ${where}`);
  }
  if (isOver(letter) && letter.receipt?.state !== receipt.state) {
    return witness.violate(
      "an ending never changes",
      `${nameOf(letter)} was ${letter.receipt?.state}, is ${receipt.state}`,
    );
  }
  if (receipt.state === "dead" && !dead.has(message.copy)) {
    return witness.violate("what is dead lies in the dead-letter queue", nameOf(letter));
  }
  const { sent, gone, failed } = letter.tally;
  const { counts } = receipt;
  if (counts.sent !== sent || counts.gone !== gone || counts.failed !== failed) {
    witness.violate(
      "the receipt counts what happened",
      `${nameOf(letter)} says ${JSON.stringify(counts)}, settled runs had ${JSON.stringify(letter.tally)}`,
    );
  }
}

/**
 * The one thing that is not promised: where no run from the last regular receive on could write what became of a job,
 * SQS moves it to the dead-letter queue, and its receipt does not know.
 */
function isUnwritten({ message, servings }: Letter, { queue, settings }: World): boolean {
  return queue.deadLetters.some((dead) => {
    const job = jobIn(dead);
    if (dead.reason !== undefined || job.message.copy !== message?.copy) return false;
    const last = servings.findLast(({ part }) => part === partOf(job));
    return !last || last.receive < settings.queues.maxReceives || last.state !== "settled";
  });
}

const jobIn = ({ body }: DeadLetter): Job => JSON.parse(body) as Job;
