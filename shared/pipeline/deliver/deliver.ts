import { backoff } from "../../backoff.ts";
import { messageOf } from "../../protocol/errors.ts";
import { after } from "../../receipts/hash-range.ts";
import type { Recipient } from "../../receipts/receipt.ts";
import type { DeliverDeps, Delivered, Delivery } from "./delivery.ts";
import { type SendPool, sendPool } from "./send-pool.ts";

/**
 * Sends one frame to all its recipients in rounds: the pages, with the pending connections of earlier runs after them,
 * and then up to `sendAttempts - 1` rounds of retries. Returns the progress for the next run.
 */
export async function deliver(deps: DeliverDeps, delivery: Delivery): Promise<Delivered> {
  const pool = sendPool(deps, delivery);
  const position: Position = { pending: delivery.progress.pending, from: delivery.progress.from };
  const rounds = async () =>
    (await firstRound(deps, delivery, pool, position)) ?? (await retryRounds(deps, delivery, pool));
  const stopped = await rounds().catch((fault: unknown) => {
    deps.telemetry.warn("delivery interrupted", delivery.fields(), fault);
    pool.fail(messageOf(fault));
    return "fault" as const;
  });
  const { counts, failed, reason } = pool.end();
  const { pending, from } = position;
  return {
    progress: {
      counts,
      pending: [...pending, ...pool.unsent(), ...pool.busy()],
      ...(from === undefined ? {} : { from }),
      failed,
      rounds: delivery.progress.rounds,
    },
    ...(stopped ? { stopped } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** What the first round has not reached yet. */
interface Position {
  /** The pending connections of earlier runs. */
  pending: readonly Recipient[];
  /** The sort key of the next recipient. Undefined if every page was read. */
  from: string | undefined;
}

type Stopped = Delivered["stopped"];

/** Sends to each recipient once. Returns why it stopped early; undefined if it reached the end of the pages. */
async function firstRound(
  { policy }: DeliverDeps,
  { pages, stop, withdrawal }: Delivery,
  pool: SendPool,
  position: Position,
): Promise<Stopped> {
  const sendPending = async () => {
    const { pending } = position;
    position.pending = [];
    await pool.sendAll(pending, { isLate: true });
  };
  const stopped = stop();
  if (stopped) return stopped;
  // Pending connections are sent to last, unless there is no room left to record more of them.
  if (position.pending.length >= policy.pendingLimit) await sendPending();
  let isFirst = true;
  for await (const page of pages) {
    const withdrawn = isFirst ? undefined : await withdrawal();
    if (withdrawn) return withdrawn;
    if (position.pending.length + pool.busy().length >= policy.pendingLimit) return "pending-limit";
    const stopped = stop();
    if (stopped) return stopped;
    await pool.sendAll(page, { isLate: false });
    const last = page.at(-1);
    if (last) position.from = after(last.key);
    isFirst = false;
  }
  position.from = undefined;
  await sendPending();
  return undefined;
}

/** Sends again to what is left, after a pause before each round. Returns why some connections were not sent to. */
async function retryRounds(deps: DeliverDeps, delivery: Delivery, pool: SendPool): Promise<Stopped> {
  const { policy, clock, gateway } = deps;
  const { baseMilliseconds: base, capMilliseconds: cap } = policy.pause;
  // A run does not wait for connections that stay busy: other messages need it.
  const mayRetry = () =>
    !delivery.stop() && pool.busy().some(({ connectionId }) => !gateway.isBusy(connectionId));
  for (let attempt = 1; attempt < policy.sendAttempts && mayRetry(); attempt++) {
    await clock.pause(backoff(attempt - 1, { base, cap }, deps.random()));
    const withdrawn = await delivery.withdrawal();
    if (withdrawn) return withdrawn;
    await pool.retry();
  }
  return pool.stopped();
}
