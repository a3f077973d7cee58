/// <reference lib="esnext.disposable" preserve="true" />
import type { ClientEvents, ConnectionState } from "./emitter.ts";
import type { Addressee, Handler, Message, TopicTypes } from "./message.ts";
import type { Published, PublishRequest } from "./publish.ts";
import type { WebSocketConstructor } from "./runtime.ts";
import type { Subscription } from "./subscription.ts";
import type { TokenSource } from "./tokens.ts";

export interface ConnectOptions {
  /** Address of the WebSocket API, such as `wss://push.example.com`. `http` and `https` are taken as `ws` and `wss`. */
  readonly url: string | URL;
  /** Called for every connection, and before a token ends. Returns a fresh token, or null if nobody is signed in. */
  readonly token: TokenSource;
  /**
   * Address of the HTTP API: to publish, and to tell a token that is refused from a router that cannot be reached.
   * @default the same host as `url`
   */
  readonly httpUrl?: string | URL;
  /**
   * Positions that `client.positions()` returned before, by topic: subscriptions begin there.
   * @default none: they begin with what comes after they were taken
   */
  readonly positions?: Readonly<Record<string, number>>;
  /**
   * A WebSocket for runtimes without one, such as that of `ws` for Node 20.
   * @default globalThis.WebSocket
   */
  readonly WebSocket?: WebSocketConstructor;
}

export interface SubscribeOptions {
  /**
   * Begin with this many of the stream's last messages, from 1 to 1,000. After a gap they come again if they are new.
   * @default 0
   */
  readonly last?: number;
  /**
   * Ends the subscription.
   * @default none
   */
  readonly signal?: AbortSignal;
}

export interface Client<Topics extends object = TopicTypes> {
  readonly state: ConnectionState;
  /** Reports events until the function that it returns is called. A listener that throws hurts no other. */
  on<T extends keyof ClientEvents>(type: T, listener: (event: ClientEvents[T]) => void): () => void;
  /** Receives the messages of a topic, by a handler or, without one, by `for await`. */
  subscribe<T extends keyof Topics & string>(
    topic: T,
    handler: Handler<Message<Topics[T]>>,
    options?: SubscribeOptions,
  ): Subscription<Message<Topics[T]>>;
  subscribe<T extends keyof Topics & string>(
    topic: T,
    options?: SubscribeOptions,
  ): Subscription<Message<Topics[T]>>;
  /** Receives messages that come without a topic: to the user, to everyone, to this connection, to its tags. */
  receive<Data = unknown>(
    to: Addressee,
    handler: Handler<Message<Data>>,
    options?: SubscribeOptions,
  ): Subscription<Message<Data>>;
  receive<Data = unknown>(to: Addressee, options?: SubscribeOptions): Subscription<Message<Data>>;
  /**
   * The positions up to which every handler has returned, by topic, and `@user` for the user's own stream. Keep them
   * over a page load, and give them to `connect`. After `close` they are those of that moment.
   */
  positions(): Readonly<Record<string, number>>;
  /**
   * Posts one message, in at most four tries. Rejects with a ClientError: with the router's code if it refused the message,
   * with UNREACHABLE if the last try had no answer. The token has to grant publishing to the target.
   */
  publish(request: PublishRequest): Promise<Published>;
  /** The id of the connection, for a producer that is to answer this client alone. It changes with every connection. */
  connectionId(): Promise<string | undefined>;
  /** Ends it all, for good. */
  close(): void;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}
