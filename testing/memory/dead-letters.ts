import type { Clock, DeadLetter, DeadLetters, HeldDeadLetter } from "../../shared/ports.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";

export interface MemoryDeadLetters extends DeadLetters {
  /** Puts a letter in, as the consumer does. */
  add(deadLetter: Pick<DeadLetter, "body" | "reason" | "lane">): void;
  /** The bodies that are left, hidden or not. */
  bodies(): readonly string[];
  /** What was forwarded, oldest first. */
  readonly lanes: Readonly<Record<Lane, string[]>>;
}

interface Stored extends DeadLetter {
  readonly visibleAt: number;
}

/** A dead-letter queue in a Map, whose entries come back when their hold is over. */
export function memoryDeadLetters(clock: Pick<Clock, "now">): MemoryDeadLetters {
  const lanes = Object.fromEntries(LANES.map((lane) => [lane, []])) as unknown as Record<Lane, string[]>;
  const stored = new Map<string, Stored>();
  let count = 0;
  const isHeld = ({ entryId, receiptHandle }: HeldDeadLetter) =>
    stored.get(entryId)?.receiptHandle === receiptHandle;
  const visible = () => [...stored.values()].filter(({ visibleAt }) => visibleAt <= clock.now());
  return {
    lanes,
    bodies: () => [...stored.values()].map(({ body }) => body),
    add(deadLetter) {
      const entryId = `entry-${++count}`;
      const now = clock.now();
      stored.set(entryId, { ...deadLetter, entryId, receiptHandle: "", sentAt: now, visibleAt: now });
    },
    async receive(most, holdSeconds) {
      return visible()
        .slice(0, most)
        .map((found) => {
          const receiptHandle = `${found.entryId}/${++count}`;
          const visibleAt = clock.now() + holdSeconds * 1000;
          stored.set(found.entryId, { ...found, receiptHandle, visibleAt });
          const { visibleAt: _, ...deadLetter } = { ...found, receiptHandle };
          return deadLetter;
        });
    },
    async release(deadLetters) {
      for (const { entryId } of deadLetters.filter(isHeld)) {
        const found = stored.get(entryId);
        if (found) stored.set(entryId, { ...found, visibleAt: 0 });
      }
    },
    async forward(lane, entries) {
      lanes[lane].push(...entries.map(({ body }) => body));
      return entries.map(() => true);
    },
    async remove(deadLetters) {
      for (const { entryId } of deadLetters) stored.delete(entryId);
      return deadLetters.map(() => true);
    },
    size: async () => visible().length,
  };
}
