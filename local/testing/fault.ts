import type { Clock } from "../../shared/ports.ts";

/** A call to the @connections endpoint. */
export interface CallbackCall {
  readonly method: string;
  readonly connectionId: string;
}

/** What a call meets instead of its connection: a status, or no answer for as long as the caller waits. */
export type Fault = number | "hang";

export interface Outage {
  /** Which calls it concerns. @default all */
  readonly concerns?: (call: CallbackCall) => boolean;
  /** Milliseconds. @default until it is ended */
  readonly lasts?: number;
}

/** Faults that a test switches on. The gateway only knows the question, never this. */
export interface Faults {
  /** The next sends to the connection fail with these statuses, one each. */
  failSends(connectionId: string, statuses: readonly number[]): void;
  /** From now on calls meet the fault, before those that are planned one by one. Returns what ends it. */
  startOutage(fault: Fault, outage?: Outage): () => void;
  /** Returns true if no call meets a fault. */
  isEmpty(): boolean;
  /** The fault that this call meets, if any. */
  next(call: CallbackCall): Fault | undefined;
}

export function faults({ monotonic }: Pick<Clock, "monotonic">): Faults {
  const planned = new Map<string, number[]>();
  const outages = new Set<{ fault: Fault; until: number; concerns: (call: CallbackCall) => boolean }>();

  const outageOf = (call: CallbackCall): Fault | undefined => {
    for (const outage of outages) {
      if (monotonic() >= outage.until) outages.delete(outage);
      else if (outage.concerns(call)) return outage.fault;
    }
    return undefined;
  };
  const plannedFor = ({ method, connectionId }: CallbackCall): number | undefined => {
    if (method !== "POST") return undefined;
    const statuses = planned.get(connectionId);
    const status = statuses?.shift();
    if (statuses?.length === 0) planned.delete(connectionId);
    return status;
  };

  return {
    failSends(connectionId, statuses) {
      planned.set(connectionId, [...(planned.get(connectionId) ?? []), ...statuses]);
    },
    startOutage(fault, { concerns = () => true, lasts = Number.POSITIVE_INFINITY } = {}) {
      const outage = { fault, concerns, until: monotonic() + lasts };
      outages.add(outage);
      return () => void outages.delete(outage);
    },
    isEmpty: () => planned.size === 0 && outages.size === 0,
    next: (call) => outageOf(call) ?? plannedFor(call),
  };
}
