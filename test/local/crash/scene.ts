/** A process of the router. Times are milliseconds of `performance.now()`. */
export interface Life {
  /** When its lanes begin to serve, unless all who were connected when the one before ended are back sooner. Infinity until it is ready. */
  opensAt: number;
  /** Infinity while it lives. */
  killedAt: number;
  /** Whether its disk was full at times. @default false */
  isFull?: boolean;
}

export type Kind = "stream" | "plain" | "user" | "nobody" | "expiring";

/** A message as its producer knows it. */
export interface Posted {
  /** Its data. */
  readonly n: number;
  readonly kind: Kind;
  readonly request: {
    readonly id?: string;
    readonly target: { readonly topic: string } | { readonly user: string };
    readonly delaySeconds?: number;
    readonly ttlSeconds?: number;
    readonly priority?: "high" | "normal" | "low";
  };
  /** When it was first posted. */
  readonly at: number;
  /** Its id, once a POST of it got 202. */
  id?: string;
  /** When it got 202. */
  acceptedAt?: number;
}

/** What all parts of a proof share. */
export interface Scene {
  readonly random: () => number;
  /** The address of the router, the same for all processes. */
  readonly url: string;
  readonly token: string;
  readonly users: readonly string[];
  readonly lives: Life[];
  readonly posted: Posted[];
  /** The producer posts nothing new. */
  isOver: boolean;
  /** Whether the disk may be full, so that messages are refused. @default false */
  isFull?: boolean;
  /** How many requests were answered with 503. @default 0 */
  refused?: number;
}

/** Of a message that expires: when it may be sent at the earliest, and when no more, in seconds. */
export const EXPIRING = { delaySeconds: 1, ttlSeconds: 2 };

/** A router that stops refuses all that comes, and the next one takes it. */
export const isStopping = (status: number, text: string): boolean =>
  status === 503 && text.includes("the router is stopping");

export const STREAM = "kept/orders";
export const PLAIN = "plain";
