/// <reference lib="esnext.disposable" preserve="true" />
import { type ClientEvents, type ConnectionState, emitter } from "./emitter.ts";
import { ClientError } from "./error.ts";
import { type MessageFrame, streamOf } from "./frame.ts";
import { type Addressee, type Handler, type Message, needsSubscription, type TopicTypes } from "./message.ts";
import { type Published, type PublishRequest, publish } from "./publish.ts";
import { type Runtime, surroundings, type WebSocketConstructor } from "./runtime.ts";
import { seen } from "./seen.ts";
import { session } from "./session.ts";
import { type Receiver, receiver, type Subscription } from "./subscription.ts";
import { freshToken, type TokenSource } from "./tokens.ts";
import { type Topic, topic } from "./topic.ts";

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
   * Posts one message. Rejects with a ClientError: with the router's code if it refused the message, with UNREACHABLE if
   * four tries failed. The token has to grant publishing to the target.
   */
  publish(request: PublishRequest): Promise<Published>;
  /** The id of the connection, for a producer that is to answer this client alone. It changes with every connection. */
  connectionId(): Promise<string | undefined>;
  /** Ends it all, for good. */
  close(): void;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}

// Older browsers lack it.
const DISPOSE: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");

/**
 * Connects to a router, and stays connected: it never throws into the page, and reports what happens by events.
 * Throws a TypeError at once if `url` is no address, or if there is no WebSocket.
 * @example
 * const client = connect({ url: "wss://push.example.com", token: async () => (await fetch("/token")).text() });
 * client.subscribe("orders", ({ data }) => show(data));
 */
export const connect = <Topics extends object = TopicTypes>(options: ConnectOptions): Client<Topics> =>
  connectOn(surroundings(options.WebSocket), options);

/** The same on a given runtime. Internal: tests move its clock. */
export function connectOn<Topics extends object>(base: Runtime, options: ConnectOptions): Client<Topics> {
  const url = String(new URL(options.url)).replace(/^http/, "ws");
  const httpUrl = String(new URL(options.httpUrl ?? options.url))
    .replace(/^ws/, "http")
    .replace(/\/$/, "");
  const source = options.token;
  const { runtime, stop } = stoppable(base);
  const events = emitter();
  const { emit, on } = events;
  const topics = new Map<string, Topic>();
  const starts = new Map(Object.entries(options.positions ?? {}));
  const isRepeated = seen();
  let isPlanned = false;
  let lastPositions: Readonly<Record<string, number>> | undefined;

  const positions = () =>
    Object.fromEntries(
      [...topics].flatMap(([name, { handledPosition }]) => {
        const position = handledPosition();
        return position === undefined ? [] : [[name, position] as const];
      }),
    );
  const line = session({
    runtime,
    url,
    httpUrl,
    source,
    topics,
    emit,
    onMessage: (message) => topics.get(streamOf(message))?.live(message),
    onClosed() {
      lastPositions = positions();
      for (const { receivers } of topics.values()) for (const each of receivers) each.end();
      for (const each of topics.values()) each.stop();
      topics.clear();
      stop();
    },
  });
  /** What one tick subscribes and gives back is one change: StrictMode does both. */
  const plan = () => {
    if (isPlanned) return;
    isPlanned = true;
    queueMicrotask(() => {
      isPlanned = false;
      for (const [name, { receivers, stop: end }] of topics) {
        if (receivers.size > 0) continue;
        topics.delete(name);
        end();
      }
      line.sync();
    });
  };
  const topicOf = (name: string): Topic => {
    const there = topics.get(name);
    if (there) return there;
    const made = topic({ runtime, emit, seen: isRepeated, request: line.request }, name, starts.get(name));
    starts.delete(name);
    topics.set(name, made);
    if (!needsSubscription(name)) made.subscribed({ messages: [] }, undefined, false);
    return made;
  };

  const add = (name: string, first?: Handler<never> | SubscribeOptions, second?: SubscribeOptions) => {
    const [handler, { last = 0, signal } = {}] =
      typeof first === "function" ? [first, second] : [undefined, first];
    const own = topicOf(name);
    const receiving: Receiver<MessageFrame> = receiver({
      handler: handler as Handler<MessageFrame> | undefined,
      last: own.position() === undefined || own.receivers.size > 0 ? last : 0,
      onFault: (cause) =>
        emit("error", new ClientError("HANDLER_FAILED", `a handler threw: ${cause}`, { topic: name, cause })),
    });
    const unsubscribe = () => {
      own.receivers.delete(receiving);
      receiving.end();
      signal?.removeEventListener("abort", unsubscribe);
      plan();
    };
    if (line.state() === "closed" || signal?.aborted) unsubscribe();
    else {
      own.receivers.add(receiving);
      signal?.addEventListener("abort", unsubscribe);
      own.fill(receiving);
      plan();
    }
    return {
      topic: name,
      ready: own.ready,
      unsubscribe,
      [Symbol.asyncIterator]: () => ({
        next: receiving.next,
        async return() {
          unsubscribe();
          return { done: true, value: undefined } as const;
        },
      }),
      [DISPOSE]: async () => unsubscribe(),
    } as Subscription<never>;
  };

  const close = () => line.close(new ClientError("CLOSED", "the app closed the client"));
  return {
    get state() {
      return line.state();
    },
    on,
    subscribe: add,
    receive: (to: Addressee, first?: Handler<never> | SubscribeOptions, second?: SubscribeOptions) =>
      add(`@${to}`, first, second),
    positions: () => lastPositions ?? positions(),
    publish: (request: PublishRequest) =>
      publish(
        {
          runtime: base,
          httpUrl,
          async token(isRefused) {
            const token = (!isRefused && line.token()) || (await freshToken(base, source));
            if (token) return token;
            throw new ClientError("SIGNED_OUT", "token returned null");
          },
        },
        request,
      ),
    connectionId: () =>
      new Promise((resolve) => {
        const isSent = line.request({ type: "ping" }, (pong) =>
          resolve(pong?.fields["connection"] as string | undefined),
        );
        if (!isSent) resolve(undefined);
      }),
    close,
    [DISPOSE]: async () => close(),
  } as Client<Topics>;
}

/** A runtime whose timers end all at once. */
function stoppable(base: Runtime): { runtime: Runtime; stop(): void } {
  const stops = new Set<() => void>();
  const after: Runtime["after"] = (milliseconds, callback) => {
    const cancel = base.after(milliseconds, () => {
      stops.delete(stop);
      callback();
    });
    const stop = () => {
      stops.delete(stop);
      cancel();
    };
    stops.add(stop);
    return stop;
  };
  return { runtime: { ...base, after }, stop: () => [...stops].forEach((stop) => void stop()) };
}
