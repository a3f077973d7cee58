import type { Handler } from "./message.ts";

/** What `subscribe` and `receive` return. Without a handler it is read by `for await`. */
export interface Subscription<M> extends AsyncIterable<M> {
  /** The topic, or `@user`, `@everyone`, `@connection` or `@tags`. */
  readonly topic: string;
  /** Resolves once the router has taken the subscription. Never rejects. */
  readonly ready: Promise<void>;
  /** Ends it. A `for await` over it ends too. */
  unsubscribe(): void;
  /** The same as `unsubscribe`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** One handler or one loop, and what it has still to get. */
export interface Receiver<M> {
  /** How many of the last messages it still wants to have before all others. */
  wants(): number;
  /** The number of the first message that it has not done with. */
  unfinished(): number | undefined;
  push(message: M): void;
  /** The last messages of the stream, or none. */
  fill(messages: readonly M[]): void;
  /** After a gap: it stands at `position`, and wants the last messages again. */
  rewind(position: number | undefined): void;
  next(): Promise<IteratorResult<M, undefined>>;
  end(): void;
}

export interface ReceiverOptions<M> {
  readonly handler: Handler<M> | undefined;
  readonly last: number;
  /** Whether it goes on from a position that was kept: then the last messages are for after a gap. */
  readonly goesOn: boolean;
  onFault(fault: unknown): void;
  onEnd(): void;
}

const DONE = { done: true, value: undefined } as const;

/** Hands messages to a handler, or to the loop that asks for them, one after the other. */
export function receiver<M extends { readonly seq?: number }>({
  handler,
  last,
  goesOn,
  onFault,
  onEnd,
}: ReceiverOptions<M>): Receiver<M> {
  const queue: M[] = [];
  let wants = goesOn ? 0 : last;
  /** The highest number that it has got. */
  let cursor = -1;
  let current: M | undefined;
  let hasEnded = false;
  let asking: ((result: IteratorResult<M, undefined>) => void)[] = [];

  const done = () => {
    current = undefined;
    drain();
  };
  const call = (message: M) => {
    try {
      const result = handler?.(message);
      if (!isPromise(result)) {
        current = undefined;
        return;
      }
      result.then(done, (fault) => {
        onFault(fault);
        done();
      });
    } catch (fault) {
      current = undefined;
      onFault(fault);
    }
  };
  const drain = () => {
    while (!wants && !hasEnded && (handler ? !current : asking.length)) {
      const message = queue.shift();
      if (!message) return;
      const { seq = Number.POSITIVE_INFINITY } = message;
      if (seq <= cursor) continue;
      if (message.seq !== undefined) cursor = seq;
      current = message;
      if (handler) call(message);
      else asking.shift()?.({ done: false, value: message });
    }
  };

  return {
    wants: () => wants,
    unfinished: () => current?.seq ?? queue.find(({ seq }) => seq !== undefined)?.seq,
    push(message) {
      queue.push(message);
      drain();
    },
    fill(messages) {
      queue.push(...messages);
      queue.sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
      wants = 0;
      drain();
    },
    rewind(position = -1) {
      cursor = Math.min(cursor, position);
      wants = last;
    },
    next() {
      // Asking for the next message says that the one before is done with.
      if (!handler) current = undefined;
      if (hasEnded || handler) return Promise.resolve(DONE);
      return new Promise((resolve) => {
        asking.push(resolve);
        drain();
      });
    },
    end() {
      hasEnded = true;
      queue.length = 0;
      current = undefined;
      for (const resolve of asking) resolve(DONE);
      asking = [];
      onEnd();
    },
  };
}

const isPromise = (it: unknown): it is Promise<unknown> =>
  typeof (it as { then?: unknown } | undefined | null)?.then === "function";
