import type { Outcome } from "../../shared/ports.ts";
import type { Recipient } from "../../shared/receipts/receipt.ts";
import type { Actor } from "../world/scheduler.ts";
import type { History } from "./history.ts";
import { type JobRun, nameOf } from "./message-record.ts";

export interface LeftOutWatch {
  /** A run has looked for the row of a connection: when that connected, or undefined if there is none. */
  found(actor: Actor, id: string, connectedAt: number | undefined): void;
  /** Returns how many pending connections a run left out for good, which are those whose rows it did not find. */
  leftOut(jobRun: JobRun, outcome: Outcome): number;
}

/** A pending connection is sent to, or stays pending, or its row has gone. */
export function watchLeftOut(book: History): LeftOutWatch {
  const looks = new WeakMap<Actor, Map<string, (number | undefined)[]>>();
  return {
    found(actor, id, connectedAt) {
      const own = looks.get(actor) ?? new Map<string, (number | undefined)[]>();
      looks.set(actor, own);
      own.set(id, [...(own.get(id) ?? []), connectedAt]);
    },
    leftOut(jobRun, outcome) {
      if (!("progress" in outcome)) return 0;
      const kept = new Set(outcome.progress.pending.map(keyOf));
      const left = jobRun.taken.filter(
        (one) => !kept.has(keyOf(one)) && !jobRun.answered.has(one.connectionId),
      );
      for (const { connectionId, connectedAt } of left) {
        const found = looks.get(jobRun.actor)?.get(connectionId) ?? [];
        if (found.some((at) => at !== connectedAt)) continue;
        const what = `${nameOf(jobRun.record)} is not sent to ${connectionId}`;
        book.violate("a pending connection that is there is sent to", what);
      }
      return left.length;
    },
  };
}

const keyOf = ({ connectionId, connectedAt }: Recipient): string => `${connectionId} ${connectedAt}`;
