import type { Simulation } from "../world/world.ts";
import { cancel } from "./producer.ts";
import { isBroken, untilQuiet } from "./quiet.ts";

/**
 * Cancels some dead records and sends others round again; the hand that does it may be stopped between the send and the
 * delete.
 */
export async function redrive(world: Simulation): Promise<void> {
  const { queue, dice, faults, trace, oracle } = world;
  if (isBroken(world) || queue.deadLetters.length === 0) return;
  if (dice.chance(0.5)) {
    faults.calm();
    world.outages.calm();
  }
  const cancelled = oracle.book.records.filter(
    ({ receipt }) => receipt?.state === "dead" && dice.chance(0.2),
  );
  await untilQuiet(world, ...cancelled.map((record) => cancel(world, record)));
  for (const { id, lane, body } of [...queue.deadLetters]) {
    if (dice.chance(0.3)) continue;
    trace.note("redrive", id, () => body);
    queue.put(lane, body);
    if (!faults.strikes("run-crash")) queue.removeDeadLetter(id);
  }
  await untilQuiet(world);
}
