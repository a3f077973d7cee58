import type { SendResult } from "../../ports.ts";
import type { ConnectionId } from "../../protocol/tag.ts";

/**
 * Connections that fail again and again, so that a client which does not read costs one send at a time and not one
 * for each of its messages. Times are monotonic milliseconds.
 */
export interface BusyConnections {
  /**
   * The result that a send would have: the last one of a busy connection if it is not older than `age`, or of an
   * earlier send that has waited for long. `waiting`: another send is finding out. Undefined: it has to be sent.
   */
  known(id: ConnectionId, now: number, age: number): SendResult | Waiting | undefined;
  onStart(id: ConnectionId, now: number): void;
  /** Returns whether the connection is busy, or was until now. */
  onResult(id: ConnectionId, result: SendResult, now: number): boolean;
}

/** Nothing was sent, since another frame is on its way to a connection that was busy. */
export interface Waiting {
  readonly kind: "waiting";
}

interface Entry {
  /** In a row. */
  readonly failures: number;
  readonly last?: { readonly result: SendResult; readonly at: number };
  /** When the send that is under way began. */
  readonly sendingSince?: number;
}

/** Failures in a row after which a connection counts as busy. */
const FAILURES = 3;
/** Milliseconds after which a send counts as much as all of these, before its result is known too. */
const LONG = 1_000;
/** Connections that are remembered at most; the oldest are forgotten first. */
const REMEMBERED = 10_000;

const UNANSWERED: SendResult = { kind: "unavailable", reason: "no answer yet to an earlier frame" };

export function busyConnections(): BusyConnections {
  const entries = new Map<ConnectionId, Entry>();
  return {
    known(id, now, age) {
      const entry = entries.get(id);
      if (!entry) return undefined;
      const { failures, last, sendingSince } = entry;
      if (sendingSince !== undefined && now - sendingSince >= LONG) return last?.result ?? UNANSWERED;
      if (failures < FAILURES) return undefined;
      if (sendingSince !== undefined) return { kind: "waiting" };
      return last && now - last.at < age ? last.result : undefined;
    },
    onStart(id, now) {
      const entry = entries.get(id);
      if (entry?.sendingSince === undefined) entries.set(id, { failures: 0, ...entry, sendingSince: now });
    },
    onResult(id, result, now) {
      const entry = entries.get(id);
      const isFailure = result.kind === "throttled" || result.kind === "unavailable";
      if (!entry && !isFailure) return false;
      const { failures = 0, sendingSince = now } = entry ?? {};
      entries.delete(id);
      if (!isFailure) return failures >= FAILURES;
      const sum = failures + (now - sendingSince < LONG ? 1 : FAILURES);
      entries.set(id, { failures: sum, last: { result, at: now } });
      for (const oldest of entries.keys()) {
        if (entries.size <= REMEMBERED) break;
        entries.delete(oldest);
      }
      return sum >= FAILURES;
    },
  };
}
