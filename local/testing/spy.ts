import type { Lane } from "../../shared/protocol/lane.ts";
import type { Faults } from "./fault.ts";
import type { RouterEvent } from "./observer.ts";
import type { QueueSize, StoredDeadLetter } from "./queues.ts";
import type { Recorder } from "./recorder.ts";

export type Kind = RouterEvent["kind"];
export type EventOf<K extends Kind> = Extract<RouterEvent, { kind: K }>;
export type Fields<K extends Kind> = { readonly kind: K } & Partial<EventOf<K>>;

export interface Waiting {
  /** How many such events there must have been since the start. @default 1 */
  readonly count?: number;
  /** Milliseconds. @default 10_000 */
  readonly timeout?: number;
}

/** How a connection is lost without a close. */
export interface SocketFaults {
  /** Breaks a connection as a lost network would, and forgets it without $disconnect. */
  kill(connectionId: string): void;
  /** Loses the client: sends return 200 for `milliseconds`, or until the function that it returns ends it; then 410. */
  halfOpen(connectionId: string, milliseconds?: number): () => void;
}

/** A test's view of a running router: it looks, waits, and can make sends and connections fail. */
export interface Spy
  extends Pick<Recorder, "now" | "peaks" | "runs" | "traffic" | "events">,
    Pick<Faults, "failSends" | "startOutage">,
    SocketFaults {
  /** Ids of the open connections, oldest first. */
  connections(): readonly string[];
  /** The n-th event that has these fields, past or to come. Rejects after the timeout. */
  waitFor<K extends Kind>(fields: Fields<K>, waiting?: Waiting): Promise<EventOf<K>>;
  /** Resolves when every lane is empty, hidden and delayed messages too, and no run is under way. */
  idle(waiting?: Pick<Waiting, "timeout">): Promise<void>;
  queueSizes(): Promise<Readonly<Record<Lane, QueueSize>>>;
  deadLetters(): Promise<readonly StoredDeadLetter[]>;
  /** Bytes for the connection that wait in this process because its client does not read. */
  bufferedBytes(connectionId: string): number;
}
