import type { MessageQueue } from "../../shared/ports.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { BODY_BYTES } from "../../shared/protocol/limits.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";

export interface QueuedBody {
  readonly body: string;
  readonly delaySeconds: number;
}

export interface MemoryQueue extends MessageQueue {
  /** What lies in a lane, oldest first. */
  readonly lanes: Readonly<Record<Lane, QueuedBody[]>>;
  readonly hidden: { readonly receiptHandle: string; readonly seconds: number }[];
  readonly deadLetters: { readonly lane: Lane; readonly body: string; readonly reason: string }[];
}

/** Lanes in arrays. Bodies are JSON, as on a real queue: nothing but JSON survives. */
export function memoryQueue(): MemoryQueue {
  const lanes = Object.fromEntries(LANES.map((lane) => [lane, []])) as unknown as Record<Lane, QueuedBody[]>;
  const hidden: MemoryQueue["hidden"] = [];
  const deadLetters: MemoryQueue["deadLetters"] = [];
  return {
    lanes,
    hidden,
    deadLetters,
    async send(lane, entries) {
      return entries.map(({ job, delaySeconds = 0 }) => {
        const body = bodyOf(job);
        const fits = Buffer.byteLength(body) <= BODY_BYTES;
        if (fits) lanes[lane].push({ body, delaySeconds });
        return fits;
      });
    },
    async changeVisibility(_lane, receiptHandle, seconds) {
      hidden.push({ receiptHandle, seconds });
    },
    async deadLetter(lane, body, reason) {
      deadLetters.push({ lane, body, reason: reason || "none given" });
    },
    async backlog(lane) {
      return lanes[lane].length;
    },
  };
}
