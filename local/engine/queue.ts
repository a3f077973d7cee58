import type { Clock, MessageQueue, Telemetry } from "../../shared/ports.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import { BODY_BYTES, DELAY_SECONDS, MAX_RECEIVES } from "../../shared/protocol/limits.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import type { EngineDeadLetters } from "./dead-letters.ts";
import { ascendingKeys } from "./keys.ts";
import type { LaneEntry } from "./lanes/entry.ts";
import { bodyIn, entryRow, headOf } from "./lanes/entry-row.ts";
import { jobsInMemory } from "./lanes/jobs-in-memory.ts";
import type { ByLane } from "./lanes/lane.ts";
import { type LaneSize, lanesInMemory } from "./lanes/lanes.ts";
import { eachStoredEntry } from "./lanes/stored.ts";
import type { Store } from "./store/store.ts";

/** An entry that a run has taken. */
export interface Taken {
  readonly messageId: string;
  readonly receiptHandle: string;
  /** The number of receives so far, including this one. */
  readonly receive: number;
  /** The job as it was accepted, or the body that says it. */
  readonly body: string | Job;
  readonly lane: Lane;
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
  readonly producer: string;
  readonly job?: Job;
  readonly delaySeconds?: number | undefined;
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

  eachStoredEntry(store, ({ key, lane, producer, receives, sentAt, delayedUntil, bytes }) => {
    // A clock that was set back since makes no delay longer than it can be.
    const delay = Math.min(delayedUntil - clock.now(), LONGEST_DELAY);
    lanes.add(newEntry({ key, lane, producer, receives, sentAt, bytes, visibleAt: visibleIn(delay) }));
  });

  /** Returns false, and keeps nothing of them, if the store does not take them. */
  const accept = async (lane: Lane, sent: readonly Sent[]): Promise<boolean> => {
    const sentAt = clock.now();
    const accepted = sent.map((one) => {
      const { body, producer, delaySeconds = 0 } = one;
      const delayedUntil = delaySeconds > 0 ? sentAt + delaySeconds * 1000 : 0;
      const value = entryRow({ lane, producer, receives: 1, sentAt, delayedUntil }, body);
      return { ...one, key: newKey(), value, visibleAt: visibleIn(delaySeconds * 1000) };
    });
    try {
      await store.write(accepted.map(({ key, value }) => ({ table: "entries", key, value })));
    } catch (fault) {
      warn("messages not taken", { lane, messages: sent.length }, fault);
      return false;
    }
    for (const { key, producer, job, body, visibleAt } of accepted) {
      const entry = newEntry({ key, lane, producer, receives: 0, sentAt, bytes: body.length, visibleAt });
      if (job) jobs.keep(entry, job);
      lanes.add(entry);
    }
    if (accepted.length > 0) ready(lane);
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
    const { lane, receiptHandle } = entry;
    return { messageId, receiptHandle, receive, body: kept ?? bodyIn(row), lane };
  };

  return {
    async send(lane, entries) {
      const sent = entries.map(({ job, delaySeconds }) => {
        return { body: bodyOf(job), producer: job.message.producer, job, delaySeconds };
      });
      const fitting = sent.filter(fits);
      const stored = await accept(lane, fitting);
      return sent.map((one) => stored && fits(one));
    },
    async forward(lane, entries) {
      const stored = await accept(lane, entries);
      return entries.map(() => stored);
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

const fits = ({ body }: { readonly body: string }) => Buffer.byteLength(body) <= BODY_BYTES;

const newEntry = (
  fields: Pick<LaneEntry, "key" | "lane" | "producer" | "sentAt" | "receives" | "bytes" | "visibleAt">,
): LaneEntry => ({ ...fields, state: "hidden", receiptHandle: "", job: undefined, next: undefined });
