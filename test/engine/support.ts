import { onTestFinished } from "vitest";
import { type EngineDeadLetters, engineDeadLetters } from "../../local/engine/dead-letters.ts";
import {
  type EngineQueue,
  type EngineQueueOptions,
  engineQueue,
  type Taken,
} from "../../local/engine/queue.ts";
import { openStore, type Store } from "../../local/engine/store/store.ts";
import type { Entry } from "../../shared/ports.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { aJob } from "../support/message.ts";

/** A store that is closed at the end of the test. */
export async function aStore(folder?: string): Promise<Store> {
  const store = await openStore(folder === undefined ? {} : { folder });
  onTestFinished(() => store.close());
  return store;
}

export type Clock = ReturnType<typeof memoryClock>;

export interface QueueAndLetters {
  readonly queue: EngineQueue;
  readonly deadLetters: EngineDeadLetters;
  readonly clock: Clock;
}

export const VISIBILITY_SECONDS = 360;

/** The lanes and the dead letters of a store, as a process has them. */
export function queueOver(
  store: Store,
  options: Partial<EngineQueueOptions> = {},
  clock: Clock = memoryClock(Date.now()),
): QueueAndLetters {
  const deadLetters: EngineDeadLetters = engineDeadLetters({
    ...{ store, clock, days: 14 },
    forward: (lane, entries) => queue.forward(lane, entries),
  });
  const fixed = { store, clock, deadLetters, fair: true, visibilitySeconds: VISIBILITY_SECONDS };
  const queue = engineQueue({ ...fixed, ...options });
  onTestFinished(() => queue.close());
  return { queue, deadLetters, clock };
}

/** What a run takes of a lane. */
export const takeAll = (queue: EngineQueue, lane: Lane = "normal", limit = 1_000): readonly Taken[] =>
  queue.take(lane, limit);

/** The ids of the messages that entries carry. */
export const idsOf = (taken: readonly Taken[]): string[] =>
  taken.map(({ body }) => {
    const { message } = typeof body === "string" ? (JSON.parse(body) as Job) : body;
    return message.id;
  });

/** Jobs of a producer, whose messages have these ids. */
export const jobsOf = (producer: string, ...ids: readonly string[]): Entry[] =>
  ids.map((id) => ({ job: aJob({ id: id as MessageId, producer: producer as UserId, acceptanceId: id }) }));
