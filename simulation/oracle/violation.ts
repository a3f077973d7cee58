import type { World } from "../world/world.ts";
import { jobIn, letterOf } from "./history.ts";
import { isOver, type Letter, nameOf } from "./message-record.ts";
import { checkCounts, lookAt } from "./receipts.ts";

/** Rules that hold once nothing moves any more and all leases are over. */
export async function judge(world: World): Promise<void> {
  const { book } = world.witness;
  const dead = new Set(world.queue.deadLetters.map(({ body }) => letterOf(book, jobIn(body))));
  for (const letter of book.letters) await judgeOne(world, letter, dead);
}

async function judgeOne({ witness }: World, letter: Letter, dead: ReadonlySet<Letter | undefined>) {
  const { book, violate } = witness;
  if (letter.accepted && !letter.message) violate("202 means durable", nameOf(letter));
  if (!letter.message || letter.dropped) return;
  if (book.nameOf(letter.producer, letter.id).shown !== letter) {
    if (letter.servings.length === 0)
      violate("every message ends", `no run met or dropped ${nameOf(letter)}`);
    return;
  }
  const was = letter.receipt?.state;
  await lookAt(book, letter.producer, letter.id);
  const { receipt } = letter;
  if (!receipt || receipt.state === "delivering" || receipt.state === "retrying") {
    const where = dead.has(letter) ? "lies in the dead-letter queue" : "is nowhere";
    return violate("every message ends", `${nameOf(letter)} is ${receipt?.state ?? was} and ${where}`);
  }
  if (receipt.state === "dead" && !dead.has(letter)) {
    violate("what is dead lies in the dead-letter queue", nameOf(letter));
  }
  if (isOver(letter)) checkCounts(witness, letter, receipt);
}
