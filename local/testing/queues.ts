import type { Lane } from "../../shared/protocol/lane.ts";

/** How many messages a lane holds, by what hides them. */
export interface QueueSize {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

export interface StoredDeadLetter {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What holds the messages of a router, as tests and gauges see it. */
export interface Queues {
  sizes(): Promise<Readonly<Record<Lane, QueueSize>>>;
  deadLetters(): Promise<readonly StoredDeadLetter[]>;
  /** Returns how many dead letters there are, without reading them. */
  deadLetterCount(): Promise<number>;
}
