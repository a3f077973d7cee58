import type { Clock, DeadLetter, DeadLetters } from "../../shared/ports.ts";
import { laneNamed } from "../../shared/protocol/lane.ts";
import { ascendingKeys } from "./keys.ts";
import type { Change, Store } from "./store/store.ts";
import { timeHeap } from "./time-heap.ts";

/** A dead letter that nobody has received yet. */
export type NewDeadLetter = Omit<DeadLetter, "entryId" | "receiptHandle">;

export interface EngineDeadLetters extends DeadLetters {
  /** Stores a dead letter. Resolves once it is on the disk. */
  put(letter: NewDeadLetter): Promise<void>;
  /** Stores a dead letter and deletes the entry that it was, as one unit that nobody waits for. */
  putLater(letter: NewDeadLetter, entry: Change<"entries">): void;
}

export interface EngineDeadLettersOptions {
  readonly store: Store;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  /** Days a dead letter is kept. */
  readonly days: number;
  /** Sends bodies to a lane. */
  readonly forward: DeadLetters["forward"];
}

/** Characters of a reason, which may quote from the body. */
const REASON_LENGTH = 1_000;

/** A dead letter that was received and neither removed nor released. */
interface Held {
  readonly key: number;
  readonly receiptHandle: string;
}

/** Dead letters in the store. Which of them are hidden is in memory: after a restart none is. */
export function engineDeadLetters({
  store,
  clock,
  days,
  forward,
}: EngineDeadLettersOptions): EngineDeadLetters {
  const newKey = ascendingKeys(store, "dead-letters", clock);
  const held = new Map<number, string>();
  const holds = timeHeap<Held>();
  /** Those that are visible again, among the keys before `next`. */
  const released: number[] = [];
  let next = Number.MIN_SAFE_INTEGER;
  let receives = 0;

  const letGo = ({ key, receiptHandle }: Held) => {
    if (held.get(key) !== receiptHandle) return;
    held.delete(key);
    released.push(key);
  };
  const wake = () => {
    const now = clock.monotonic();
    for (let due = holds.takeDue(now); due !== undefined; due = holds.takeDue(now)) letGo(due);
  };

  const hold = (key: number, value: string, visibilitySeconds: number): DeadLetter => {
    const receiptHandle = `${key}.${++receives}`;
    held.set(key, receiptHandle);
    holds.push(clock.monotonic() + visibilitySeconds * 1000, { key, receiptHandle });
    const { lane: name, ...letter } = JSON.parse(value) as Omit<NewDeadLetter, "lane"> & {
      readonly lane?: string;
    };
    const lane = laneNamed(name);
    return { entryId: String(key), receiptHandle, ...letter, ...(lane === undefined ? {} : { lane }) };
  };

  const changeFor = ({ body, reason, lane, sentAt }: NewDeadLetter): Change<"dead-letters"> => ({
    table: "dead-letters",
    key: newKey(),
    value: JSON.stringify({
      body,
      ...(reason === undefined ? {} : { reason: reason.slice(0, REASON_LENGTH) || "none given" }),
      ...(lane === undefined ? {} : { lane }),
      sentAt,
    }),
    expiresAt: clock.now() + days * 86_400_000,
  });

  return {
    put: (letter) => store.write([changeFor(letter)]),
    putLater: (letter, entry) => store.writeLater([changeFor(letter), entry]),
    async receive(limit, visibilitySeconds) {
      wake();
      const letters: DeadLetter[] = [];
      while (letters.length < limit) {
        const key = released.shift();
        if (key === undefined) break;
        const value = store.get("dead-letters", key);
        if (value !== undefined) letters.push(hold(key, value, visibilitySeconds));
      }
      const room = limit - letters.length;
      const range = { from: next, to: Number.MAX_SAFE_INTEGER, limit: room };
      for (const { key, value } of room > 0 ? store.range("dead-letters", range) : []) {
        letters.push(hold(key, value, visibilitySeconds));
        next = key + 1;
      }
      return letters;
    },
    async release(letters) {
      for (const { entryId, receiptHandle } of letters) letGo({ key: Number(entryId), receiptHandle });
    },
    forward,
    async remove(letters) {
      const keys = letters.map(({ entryId }) => Number(entryId));
      if (keys.length > 0) await store.write(keys.map((key) => ({ table: "dead-letters", key })));
      for (const key of keys) held.delete(key);
      return keys.map(() => true);
    },
    async size() {
      wake();
      // What is held may be past its time, and deleted.
      return Math.max(0, store.count("dead-letters") - held.size);
    },
  };
}
