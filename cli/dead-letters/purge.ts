import { Failure, UsageError } from "../failure.ts";
import type { Io } from "../io.ts";
import { progress } from "../progress.ts";
import { isEmpty } from "./filter.ts";
import { toJson } from "./parsed-dead-letter.ts";
import { type Selection, select } from "./select.ts";

export interface PurgeOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Deletes dead letters for good. Their receipts stay `dead`. */
export async function purge(
  io: Io,
  selection: Selection,
  { yes, dryRun, json }: PurgeOptions,
): Promise<void> {
  const { queue, filter } = selection;
  if (isEmpty(filter) && !yes && !dryRun)
    throw new UsageError("purge would delete every dead letter; narrow it with a filter, or say --yes");
  const bar = progress(io, json);
  const total = Math.min(selection.limit, await queue.size());
  let purged = 0;
  let failed = 0;
  try {
    await select(io, selection, async (chosen) => {
      const deadLetters = chosen.map(({ deadLetter }) => deadLetter);
      const removed = dryRun ? deadLetters.map(() => true) : await queue.remove(deadLetters);
      const gone = chosen.filter((_, i) => removed[i]);
      purged += gone.length;
      failed += chosen.length - gone.length;
      for (const { deadLetter, reason } of json ? gone : [])
        io.stdout.write(`${JSON.stringify({ ...toJson(deadLetter, reason), fate: "purged", dryRun })}\n`);
      bar.show(purged, total, `${purged} of about ${total}`);
      return dryRun ? [] : gone.map(({ deadLetter }) => deadLetter);
    });
  } finally {
    bar.end();
    if (!json) io.stdout.write(`${dryRun ? "would purge" : "purged"} ${purged}\n`);
  }
  if (failed > 0) throw new Failure(`${failed} dead letters were not deleted; run it again for them`);
}
