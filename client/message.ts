/** A message as a handler gets it. */
export interface Message<Data = unknown> {
  /** The producer's id of the message, or the one that the router made. */
  readonly id: string;
  readonly data: Data;
  /** When the router accepted the message: ISO 8601, UTC. */
  readonly time: string;
  /** The producer's name of what happened, such as `order.shipped`. */
  readonly event?: string;
  /** The topic, if the message was posted to one. */
  readonly topic?: string;
  /** The kind of the target, if it was not a topic. */
  readonly to?: Addressee;
  /** The number of the message in its stream. Absent if the topic or the user keeps no stream. */
  readonly seq?: number;
  /** The trace of the producer's request (W3C Trace Context). Absent if it named none. */
  readonly traceparent?: string;
}

/** Whom a message without a topic is for. */
export type Addressee = "user" | "everyone" | "connection" | "tags";

/** The type of `data` by topic, such as `{ orders: Order; [chat: `chat/${string}`]: Line }`. */
export type TopicTypes = { readonly [topic: string]: unknown };

/** Called for each message in order. If it returns a promise, the next message waits for it. */
export type Handler<M> = (message: M) => unknown;

/** The name that a user's own stream has in frames and in positions. No topic has such a name. */
export const OWN_STREAM = "@user";

/** Whether a name is subscribed to. Messages to everyone, to a connection and to tags come without that. */
export const needsSubscription = (name: string): boolean => name[0] !== "@" || name === OWN_STREAM;
