import { backoff } from "../../backoff.ts";
import type { Clock, Connections, Random, Subscriptions, Telemetry } from "../../ports.ts";
import type { Tag } from "../../protocol/tag.ts";
import type { Recipient } from "../../receipts/receipt.ts";

export interface TakeBackDeps {
  readonly connections: Pick<Connections, "delete">;
  readonly subscriptions: Pick<Subscriptions, "remove">;
  readonly clock: Pick<Clock, "pause">;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Whether the run has so many milliseconds left. @default never: one try */
  readonly hasTime?: (milliseconds: number) => boolean;
}

/** Milliseconds before another try, with full jitter. */
const PAUSE = { base: 50, cap: 1_000 };

/**
 * Deletes what a `$connect` that failed has written: API Gateway sends no `$disconnect` for it. `listed` are the tags
 * whose lists may have a row. Tries again while the run has time. Lists first: as long as the row is there, a later 410
 * finds what this could not delete.
 */
export async function takeBack(
  { subscriptions, connections, telemetry, clock, random, hasTime = () => false }: TakeBackDeps,
  socket: Recipient,
  listed: readonly Tag[],
): Promise<void> {
  let left = listed;
  for (let attempt = 0; ; attempt++) {
    try {
      if (left.length > 0) await subscriptions.remove(left, socket);
      left = [];
      await connections.delete(socket);
      return;
    } catch (fault) {
      const pause = backoff(attempt, PAUSE, random());
      if (!hasTime(pause)) {
        telemetry.warn("rows of a failed $connect stay until they expire", { ...socket }, fault);
        return;
      }
      await clock.pause(pause);
    }
  }
}
