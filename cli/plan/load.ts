import { InvalidArgumentError } from "commander";
import type { Priority } from "../../shared/protocol/lane.ts";

/** Messages of one kind: how many per second on average, and how many connections each is for. */
export interface Traffic {
  readonly rate: number;
  readonly audience: number;
  readonly priority: Priority;
}

/** What a router is to carry. */
export interface Load {
  readonly traffic: readonly Traffic[];
  /** Open at once. */
  readonly connections: number;
  /** How long a connection is open, in seconds; API Gateway cuts it after two hours. */
  readonly sessionSeconds: number;
  /** Topics that a connection subscribes to, in as few frames as they fit. */
  readonly topics: number;
  /** Seconds without a frame after which a client pings; 0 if none does. */
  readonly pingSeconds: number;
  /** Whether clients ping every `pingSeconds`, whatever they hear. */
  readonly pingsAlways: boolean;
  /** How long a token holds before its client refreshes it, in seconds; 0 if no client does. */
  readonly tokenSeconds: number;
  /** Bytes of a frame. */
  readonly bytes: number;
  /** Messages in one POST, 1-100. */
  readonly perPost: number;
  /** Messages in one run: more only where they wait in the lane. 1-10. */
  readonly perRun: number;
  /** How many times the average the busiest second is. */
  readonly peak: number;
}

/** Seconds of silence after which tagwire/client pings. */
export const PING_SECONDS = 540;

/** What cannot be known from outside. Times are milliseconds. */
export interface Assumptions {
  /** One PostToConnection. */
  readonly send: number;
  /** A run of ingest. */
  readonly ingest: number;
  /** A run of the consumer without its sends, and what each of its messages adds. */
  readonly run: number;
  readonly perMessage: number;
  /** A run of the socket function. */
  readonly socket: number;
}

export const ASSUMPTIONS: Assumptions = { send: 20, ingest: 10, run: 12, perMessage: 8, socket: 15 };

/** `50:1`, `0.5:10000` or `2:300:high`: messages per second, connections each, and their priority. */
export function parseTraffic(text: string, former: readonly Traffic[] = []): Traffic[] {
  const [, rate, audience, priority = "normal"] =
    /^(\d{1,7}(?:\.\d{1,6})?):(\d{1,9})(?::(high|normal|low))?$/.exec(text) ?? [];
  if (rate === undefined || audience === undefined)
    throw new InvalidArgumentError(
      "It must be MESSAGES_PER_SECOND:CONNECTIONS, as in 50:1 or 0.5:10000:low.",
    );
  return [
    ...former,
    { rate: Number(rate), audience: Number(audience), priority: priority as Traffic["priority"] },
  ];
}
