import type { Client, ConnectOptions, SubscribeOptions } from "./api.ts";
import { emitter } from "./emitter.ts";
import { ClientError, textOf } from "./error.ts";
import { type MessageFrame, streamOf } from "./frame.ts";
import { type Addressee, type Handler, needsSubscription, type TopicTypes } from "./message.ts";
import { type PublishRequest, publish } from "./publish.ts";
import { type Runtime, stoppable, surroundings } from "./runtime.ts";
import { seen } from "./seen.ts";
import { session } from "./session.ts";
import { type Receiver, receiver, type Subscription } from "./subscription.ts";
import { freshToken } from "./tokens.ts";
import { type Topic, topic } from "./topic.ts";

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
  // What an app has kept may be damaged: from 0 on the router says what is missing.
  const starts = new Map(
    Object.entries(options.positions ?? {}).map(([name, at]) => [name, Number(at) || 0] as const),
  );
  const isRepeated = seen();
  let isPlanned = false;
  let lastPositions: Readonly<Record<string, number>> | undefined;

  const positions = () =>
    Object.fromEntries([
      ...starts,
      ...[...topics].flatMap(([name, { handledPosition }]) => {
        const position = handledPosition();
        return position === undefined ? [] : [[name, position] as const];
      }),
    ]);
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
      last,
      goesOn: own.position() !== undefined && !own.isReady(),
      onFault: (cause) =>
        emit(
          "error",
          new ClientError("HANDLER_FAILED", `a handler threw: ${textOf(cause)}`, { topic: name, cause }),
        ),
      onEnd: () => signal?.removeEventListener("abort", unsubscribe),
    });
    const unsubscribe = () => {
      own.receivers.delete(receiving);
      receiving.end();
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
