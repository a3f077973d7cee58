import type { Simulation } from "../world/world.ts";

const MINUTE = 60_000;
/** By then every lease, visibility timeout and back-off is over. */
const PATIENCE = 24 * 60 * MINUTE;

/** Lets the world go on until these lives are over and nothing moves any more. */
export async function untilQuiet(world: Simulation, ...lives: readonly Promise<unknown>[]): Promise<void> {
  const { scheduler, queue, source, oracle } = world;
  const latest = scheduler.now() + PATIENCE;
  const over = isSettled(Promise.all(lives));
  await scheduler.run(async () => {
    await oracle.look();
    if (isBroken(world) || (over() && queue.size() === 0 && source.running() === 0)) return true;
    if (scheduler.now() <= latest) return false;
    oracle.violate("the queue runs empty", `${queue.size()} messages are left, ${source.running()} runs`);
    return true;
  });
  await straggle(world);
}

export const isBroken = ({ oracle }: Simulation): boolean => oracle.book.violation !== undefined;

/** Lets arrive what is still on its way. */
async function straggle(world: Simulation): Promise<void> {
  const { scheduler, oracle } = world;
  const over = isSettled(scheduler.sleep(MINUTE));
  await scheduler.run(async () => {
    await oracle.look();
    return over() || isBroken(world);
  });
}

function isSettled(promise: Promise<unknown>): () => boolean {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  return () => settled;
}
