import type { Received } from "../../shared/pipeline/consume/record.ts";
import type { Clock, MessageQueue } from "../../shared/ports.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";

interface Entry {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  visibleAt: number;
  receives: number;
}

/** SQS in the time of a test: entries are hidden while they are received, and have the attributes that Lambda passes on. */
export interface Lanes extends MessageQueue {
  /** Puts a body into a lane, whatever it is. */
  put(lane: Lane, body: string): void;
  receive(lane: Lane): Received[];
  delete(lane: Lane, id: string): void;
  purgeDeadLetters(): void;
  /** Seconds that the oldest entry of a queue has waited, and how many are visible, as AWS/SQS has them. */
  look(queue: Lane | "dead-letters"): { readonly age: number; readonly visible: number };
}

const VISIBILITY = 360_000;
const BATCH = 10;

export function lanes(clock: Pick<Clock, "now">, takes: () => boolean): Lanes {
  const queues = new Map<Lane | "dead-letters", Entry[]>();
  const entriesOf = (queue: Lane | "dead-letters") => {
    const entries = queues.get(queue) ?? [];
    queues.set(queue, entries);
    return entries;
  };
  let ids = 0;
  const put = (queue: Lane | "dead-letters", body: string, delaySeconds = 0) => {
    const sentAt = clock.now();
    entriesOf(queue).push({
      id: `entry-${++ids}`,
      ...{ body, sentAt, visibleAt: sentAt + delaySeconds * 1_000, receives: 0 },
    });
  };
  return {
    put,
    async send(lane, entries) {
      if (takes()) for (const { job, delaySeconds } of entries) put(lane, bodyOf(job), delaySeconds);
      return entries.map(takes);
    },
    async changeVisibility(lane, receiptHandle, seconds) {
      const entry = entriesOf(lane).find(({ id }) => id === receiptHandle);
      if (entry) entry.visibleAt = clock.now() + seconds * 1_000;
    },
    async deadLetter(_lane, body) {
      put("dead-letters", body);
    },
    backlog: async (lane) => entriesOf(lane).length,
    receive(lane) {
      const now = clock.now();
      const due = entriesOf(lane)
        .filter(({ visibleAt }) => visibleAt <= now)
        .slice(0, BATCH);
      return due.map((entry) => {
        entry.visibleAt = now + VISIBILITY;
        const { id: messageId, body, sentAt } = entry;
        return { messageId, receiptHandle: messageId, lane, body, sentAt, receive: ++entry.receives };
      });
    },
    delete(lane, id) {
      queues.set(
        lane,
        entriesOf(lane).filter((entry) => entry.id !== id),
      );
    },
    purgeDeadLetters: () => void queues.delete("dead-letters"),
    look(queue) {
      const [now, entries] = [clock.now(), entriesOf(queue)];
      const oldest = Math.min(...entries.map(({ sentAt }) => sentAt), now);
      return {
        age: (now - oldest) / 1_000,
        visible: entries.filter(({ visibleAt }) => visibleAt <= now).length,
      };
    },
  };
}
