import type { Dice } from "./dice.ts";

/** Everything that can go wrong, with its rate per occasion where all faults are on. */
export const FAULTS = {
  // SQS, and the event source in front of the consumer
  "queue-twice": 0.02, // what was sent once is stored twice
  "queue-late": 0.05, // it shows up some minutes late
  "queue-disorder": 0.3, // a receive takes any messages, not the oldest
  "queue-early": 0.03, // it shows up again before its visibility timeout is over
  "queue-undeleted": 0.03, // a delete is lost, so it shows up again after its visibility timeout
  "queue-doubled": 0.02, // the same message stands twice in one batch
  "delete-late": 0.03, // a delete takes effect only after a while
  "queue-refused": 0.03, // a send or a change of visibility fails, and nothing happened
  "queue-unheard": 0.02, // it happened, and fails all the same
  // functions
  "run-crash": 0.004, // a run dies between two awaits; what it has sent off still lands
  "run-throttled": 0.05, // a run cannot start: the poller offers its batch again, until its visibility timeout
  "run-dropped": 0.01, // a batch is received and no run ever starts
  "run-slow": 0.01, // a call takes seconds, so that deadlines pass in mid-run
  "run-skew": 0.5, // two runs do not agree what time it is
  // windows of time in which something is down; each is tried for every 15 seconds
  "outage-gateway": 0.01,
  "outage-forbidden": 0.005,
  "outage-table": 0.01,
  "outage-half": 0.01,
  "outage-runs": 0.01,
  "outage-claim": 0.02, // one begins just after a claim, for a moment
  // sends
  "post-busy": 0.08, // 429
  "post-error": 0.04, // 500
  "post-hang": 0.02, // no answer before the time is up, and no frame
  "post-lie": 0.03, // the frame arrives, and the answer is a failure or none
  "post-refused": 0.01, // 413
  "client-slow": 0.1, // a client does not read for a while: 429 at once, or no answer
  "socket-halfopen": 0.3, // a socket that is gone takes frames for a while, and they are lost
  // tables
  "table-throttled": 0.015, // a call fails and did nothing
  "table-unheard": 0.01, // a call did it, and fails all the same
  "table-twice": 0.01, // the SDK sends a call again whose answer was lost
  "append-late": 0.1, // a row of a stream comes to its table seconds after it was sent
  // connections
  "frames-aside": 0.1, // a client asks for a topic and against it at once
  "connect-slow": 0.1, // the socket opens seconds after $connect has returned
  "disconnect-lost": 0.3,
  "disconnect-late": 0.2,
  "disconnect-doubled": 0.1,
  "connection-reused": 0.3, // an id comes back with another connect time
  // clients that keep their place in a stream, each time they do something
  "reader-cut": 0.15,
  "reader-sleep": 0.1,
  "reader-rotate": 0.1,
  "reader-reload": 0.1,
  // producers
  "producer-repeat": 0.25, // the same id is posted again, in its window or after it
  "producer-cancel": 0.25,
  "producer-namesake": 0.1, // another producer posts a message with the same id
  "producer-poison": 0.01, // a message kills every run that processes it
  "producer-deadline": 0.25, // a message expires while it is under way
} as const satisfies Record<string, number>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

/** Rates by name; what is absent never happens. */
export type FaultRates = Readonly<Partial<Record<FaultName, number>>>;

export interface Faults {
  /** Throws the dice for one occasion of a fault. */
  strikes(name: FaultName): boolean;
  /** What may strike at all does so at this rate or above. Ends when what it returns is called. */
  raise(name: FaultName, rate: number): () => void;
  /** From now on nothing goes wrong any more. */
  calm(): void;
  readonly counts: Readonly<Partial<Record<FaultName, number>>>;
}

/** Faults that strike by the dice. */
export function faultsOf(rates: FaultRates, dice: Dice): Faults {
  const counts: Partial<Record<FaultName, number>> = {};
  const raised = new Map<FaultName, number>();
  let calm = false;
  return {
    strikes(name) {
      const own = rates[name] ?? 0;
      const rate = own === 0 ? 0 : Math.max(own, raised.get(name) ?? 0);
      if (calm || rate === 0 || !dice.chance(rate)) return false;
      counts[name] = (counts[name] ?? 0) + 1;
      return true;
    },
    raise(name, rate) {
      raised.set(name, rate);
      return () => void raised.delete(name);
    },
    calm: () => {
      calm = true;
    },
    counts,
  };
}

/**
 * Reads `--faults`: `all`, `none`, or a list such as `post-lie,run-crash=0.05`. With `all`, each seed makes some faults
 * rarer and some more frequent, so that over many seeds they meet in all proportions.
 */
export function faultRates(text: string, dice: Dice): FaultRates {
  if (text === "none") return {};
  if (text === "all") {
    const rates = FAULT_NAMES.map((name) => [name, Math.min(0.9, FAULTS[name] * dice.pick([0.2, 1, 1, 3]))]);
    return Object.fromEntries(rates);
  }
  const rates = text.split(",").map((part) => {
    const [name = "", rate] = part.split("=");
    const known = FAULT_NAMES.find((fault) => fault === name);
    if (!known) throw new Error(`unknown fault ${name}; known are ${FAULT_NAMES.join(", ")}`);
    const value = rate === undefined ? FAULTS[known] : Number(rate);
    if (!(value >= 0 && value <= 1)) throw new Error(`the rate of ${name} must be 0-1, got ${rate}`);
    return [known, value] as const;
  });
  return Object.fromEntries(rates);
}
