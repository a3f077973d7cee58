import type { Clock, MessageQueue, Telemetry } from "../../shared/ports.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import { BODY_BYTES, DELAY_SECONDS, MAX_RECEIVES } from "../../shared/protocol/limits.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import type { EngineDeadLetters } from "./dead-letters.ts";
import { ascendingKeys } from "./keys.ts";
import { type LaneEntry, laneEntry } from "./lanes/entry.ts";
import { bodyIn, entryRow, headOf } from "./lanes/entry-row.ts";
import { jobsInMemory } from "./lanes/jobs-in-memory.ts";
import type { ByLane } from "./lanes/lane.ts";
import { type LaneSize, lanesInMemory } from "./lanes/lanes.ts";
import { eachStoredEntry } from "./lanes/stored.ts";
import type { Change, Store } from "./store/store.ts";

/** An entry that a run has taken. */
export interface Taken {
  readonly messageId: string;
  readonly receiptHandle: string;
  /** The number of receives so far, including this one. */
  readonly receive: number;
  /** The number of receives in this process before this one. */
  readonly retries: number;
  /** The job as it was accepted, or the body that says it. */
  readonly body: string | Job;
  readonly lane: Lane;
  /** When it was put into the lane, in milliseconds since 1970. */
  readonly sentAt: number;
}

export interface EngineQueue extends MessageQueue {
  /**
   * Takes at most `limit` entries of a lane and hides them for the visibility timeout. An entry that was received
   * 1,000 times without an outcome becomes a dead letter instead.
   */
  take(lane: Lane, limit: number): readonly Taken[];
  /** Deletes an entry. One that another run has taken since stays. */
  remove(lane: Lane, receiptHandle: string): void;
  /** Sends bodies to a lane, unchanged. Returns one boolean per entry, in input order: true if the lane stored it. */
  forward(
    lane: Lane,
    entries: readonly { readonly body: string; readonly producer: UserId }[],
  ): Promise<readonly boolean[]>;
  /** Calls back whenever entries of a lane have become visible. */
  onReady(callback: (lane: Lane) => void): void;
  sizes(): ByLane<LaneSize>;
  /** Ends its timers. */
  close(): void;
}

export interface EngineQueueOptions {
  readonly store: Store;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly deadLetters: Pick<EngineDeadLetters, "put" | "putLater">;
  /** Whether producers take turns within a lane. */
  readonly fair: boolean;
  readonly visibilitySeconds: number;
  /** Bytes of the jobs that wait in memory. The bodies of others are read from the store. @default 64 MB */
  readonly memoryBytes?: number;
  /** @default ignored */
  readonly warn?: Telemetry["warn"];
}

const MEMORY_BYTES = 67_108_864;

/** What is to be an entry. */
interface Sent {
  readonly body: string;
  readonly bytes: number;
  readonly producer: string;
  readonly job?: Job;
  readonly delaySeconds: number;
}

/**
 * Lanes whose bodies are on the disk and whose order is in memory. What a store already holds is visible at once, but
 * for delays; it counts one receive more than was written, since a run of the process before may have begun it.
 */
export function engineQueue(options: EngineQueueOptions): EngineQueue {
  const { store, clock, deadLetters, warn = () => {} } = options;
  const newKey = ascendingKeys(store, "entries", clock);
  const jobs = jobsInMemory(options.memoryBytes ?? MEMORY_BYTES);
  const listeners: ((lane: Lane) => void)[] = [];
  const ready = (lane: Lane) => {
    for (const listener of listeners) listener(lane);
  };
  const lanes = lanesInMemory({
    ...{ clock, fair: options.fair, onVisible: ready },
    visibilityMilliseconds: options.visibilitySeconds * 1000,
  });
  const visibleIn = (milliseconds: number) => (milliseconds > 0 ? clock.monotonic() + milliseconds : 0);

  eachStoredEntry(store, (stored) => {
    // A clock that was set back since makes no delay longer than it can be.
    const delay = Math.min(stored.delayedUntil - clock.now(), LONGEST_DELAY);
    lanes.add(laneEntry({ ...stored, visibleAt: visibleIn(delay) }));
  });

  /** Returns false, and keeps nothing of them, if the store does not take them. */
  const accept = async (lane: Lane, sent: readonly Sent[]): Promise<boolean> => {
    const sentAt = clock.now();
    const entries: LaneEntry[] = [];
    const changes: Change<"entries">[] = [];
    for (const { body, bytes, producer, delaySeconds } of sent) {
      const key = newKey();
      const delay = delaySeconds * 1000;
      const delayedUntil = delay > 0 ? sentAt + delay : 0;
      const value = entryRow({ lane, producer, receives: 1, sentAt, delayedUntil }, body);
      changes.push({ table: "entries", key, value });
      const visibleAt = visibleIn(delay);
      entries.push(laneEntry({ key, lane, producer, sentAt, receives: 0, bytes, visibleAt }));
    }
    try {
      await store.write(changes);
    } catch (fault) {
      warn("messages not taken", { lane, messages: sent.length }, fault);
      return false;
    }
    for (const [index, entry] of entries.entries()) {
      jobs.keep(entry, sent[index]?.job);
      lanes.add(entry);
    }
    ready(lane);
    return true;
  };

  const bodyOnDisk = ({ key }: LaneEntry): string => {
    const row = store.get("entries", key);
    if (row === undefined) throw new Error(`entry ${key} is not in the store`);
    return row;
  };

  const toDeadLetters = (entry: LaneEntry) => {
    const { lane, key, sentAt } = entry;
    const body = bodyIn(bodyOnDisk(entry));
    deadLetters.putLater({ lane, body, sentAt, reason: TOO_MANY }, { table: "entries", key });
    jobs.take(entry);
    lanes.remove(entry);
  };

  const receive = (entry: LaneEntry): Taken | undefined => {
    if (entry.receives >= MAX_RECEIVES) return void toDeadLetters(entry);
    const receive = ++entry.receives;
    const messageId = String(entry.key);
    entry.receiptHandle = `${messageId}.${receive}`;
    const kept = jobs.take(entry);
    const row = kept === undefined || receive > 1 ? bodyOnDisk(entry) : "";
    if (receive > 1) {
      const value = entryRow({ ...headOf(row), receives: receive, delayedUntil: 0 }, bodyIn(row));
      store.writeLater([{ table: "entries", key: entry.key, value }]);
    }
    const { lane, receiptHandle, sentAt } = entry;
    const retries = receive - 1 - entry.receivesBefore;
    return { messageId, receiptHandle, receive, retries, body: kept ?? bodyIn(row), lane, sentAt };
  };

  return {
    async send(lane, entries) {
      const sent = entries.map(({ job, delaySeconds = 0 }): Sent => {
        const body = bodyOf(job);
        const bytes = Buffer.byteLength(body);
        return { body, bytes, producer: job.message.producer, job, delaySeconds };
      });
      const fitting = sent.filter(fits);
      const isStored = fitting.length > 0 && (await accept(lane, fitting));
      return sent.map((one) => isStored && fits(one));
    },
    async forward(lane, entries) {
      const sent = entries.map(({ body, producer }): Sent => {
        return { body, bytes: Buffer.byteLength(body), producer, delaySeconds: 0 };
      });
      const isStored = sent.length > 0 && (await accept(lane, sent));
      return sent.map(() => isStored);
    },
    async changeVisibility(_lane, receiptHandle, seconds) {
      lanes.wake();
      const entry = lanes.received(receiptHandle);
      if (entry) lanes.hide(entry, seconds * 1000);
    },
    deadLetter: (lane, body, reason) => deadLetters.put({ lane, body, reason, sentAt: clock.now() }),
    async backlog(lane) {
      const { visible, hidden, taken } = lanes.sizes()[lane];
      return visible + hidden + taken;
    },
    take(lane, limit) {
      lanes.wake();
      const taken: Taken[] = [];
      while (taken.length < limit) {
        const entry = lanes.take(lane);
        if (entry === undefined) break;
        try {
          const received = receive(entry);
          if (received) taken.push(received);
        } catch (fault) {
          // It stays hidden for the visibility timeout, and delays no other.
          warn("entry not read", { lane, entry: entry.key }, fault);
        }
      }
      return taken;
    },
    remove(_lane, receiptHandle) {
      const entry = lanes.received(receiptHandle);
      if (entry === undefined) return;
      lanes.remove(entry);
      store.writeLater([{ table: "entries", key: entry.key }]);
    },
    onReady: (callback) => void listeners.push(callback),
    sizes: () => lanes.sizes(),
    close: () => lanes.close(),
  };
}

const LONGEST_DELAY = DELAY_SECONDS * 1000;

const TOO_MANY = `it was received ${MAX_RECEIVES} times, and no run wrote an outcome`;

const fits = ({ bytes }: Sent): boolean => bytes <= BODY_BYTES;
