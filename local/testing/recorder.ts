import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { METERED_BYTES } from "../../shared/protocol/limits.ts";
import type { Observer, RouterEvent, RunEnded } from "./observer.ts";

/** What went over one connection, in either direction. */
export interface Traffic {
  /** Sends to it, by the status they were answered with. */
  readonly sends: Readonly<Record<number, number>>;
  /** Units of 32 KB, as API Gateway meters them. */
  readonly units: number;
}

/** The most there ever was at once. */
export interface Peaks {
  readonly runs: number;
  readonly lanes: Readonly<Record<Lane, number>>;
  readonly sends: number;
  /** Sends in flight over runs under way, at the moment that was largest. */
  readonly sendsPerRun: number;
}

export interface Counts {
  readonly runs: number;
  readonly sends: number;
  readonly units: number;
}

export interface Recorder extends Observer {
  /** How many there are right now; units are counted since the start. */
  now(): Counts;
  peaks(): Peaks;
  /** Runs that have ended, oldest first; the last 10,000. */
  runs(): readonly RunEnded[];
  traffic(connectionId: string): Traffic;
  /** The last 50,000 events at least, oldest first. */
  events(): readonly RouterEvent[];
  /** Calls back on every event from now on, until the function it returns is called. */
  listen(callback: (event: RouterEvent) => void): () => void;
}

interface Tally {
  readonly sends: Record<number, number>;
  units: number;
}

const KEPT = { events: 50_000, runs: 10_000, connections: 10_000 };

/**
 * Remembers what the router did, within bounds, so that a test can look. Without `remembers` it only counts what there
 * is right now: to remember each send costs as much as the send.
 */
export function recorder(remembers = true): Recorder {
  const running = Object.fromEntries(LANES.map((lane) => [lane, 0])) as Record<Lane, number>;
  const peak = { runs: 0, lanes: { ...running }, sends: 0, sendsPerRun: 0 };
  const events: RouterEvent[] = [];
  const ended: RunEnded[] = [];
  const traffic = new Map<string, Tally>();
  const listeners = new Set<(event: RouterEvent) => void>();
  let sends = 0;
  let units = 0;

  const runs = () => LANES.reduce((sum, lane) => sum + running[lane], 0);

  const trafficOf = (connectionId: string) => {
    const known = traffic.get(connectionId);
    if (known) return known;
    const fresh: Tally = { sends: {}, units: 0 };
    traffic.set(connectionId, fresh);
    if (traffic.size > KEPT.connections) traffic.delete(traffic.keys().next().value ?? "");
    return fresh;
  };

  const count = (event: RouterEvent) => {
    switch (event.kind) {
      case "run-started":
        running[event.lane] += 1;
        peak.lanes[event.lane] = Math.max(peak.lanes[event.lane], running[event.lane]);
        peak.runs = Math.max(peak.runs, runs());
        break;
      case "run-ended":
        running[event.lane] -= 1;
        if (!remembers) break;
        ended.push(event);
        trim(ended, KEPT.runs);
        break;
      case "sent": {
        sends -= 1;
        if (!remembers) break;
        const { sends: byStatus } = trafficOf(event.connectionId);
        byStatus[event.status] = (byStatus[event.status] ?? 0) + 1;
        break;
      }
      case "connected":
      case "disconnected":
        break;
    }
  };

  return {
    record(event) {
      count(event);
      if (!remembers) return;
      events.push(event);
      trim(events, KEPT.events);
      for (const listener of listeners) listener(event);
    },
    sendStarted() {
      sends += 1;
      if (!remembers) return;
      peak.sends = Math.max(peak.sends, sends);
      peak.sendsPerRun = Math.max(peak.sendsPerRun, sends / Math.max(1, runs()));
    },
    metered(connectionId, bytes) {
      const metered = Math.max(1, Math.ceil(bytes / METERED_BYTES));
      units += metered;
      if (remembers) trafficOf(connectionId).units += metered;
    },
    now: () => ({ runs: runs(), sends, units }),
    peaks: () => ({ ...peak, lanes: { ...peak.lanes } }),
    runs: () => ended,
    traffic: (connectionId) => traffic.get(connectionId) ?? { sends: {}, units: 0 },
    events: () => events,
    listen(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
  };
}

/** Cuts at twice the size, so that most calls do nothing. */
function trim(list: unknown[], kept: number): void {
  if (list.length > kept * 2) list.splice(0, list.length - kept);
}
