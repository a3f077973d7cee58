import type { ClientError } from "./error.ts";

/** `connected`: every subscription has been answered. `closed`: for good. */
export type ConnectionState = "connecting" | "connected" | "closed";

/** What `client.on` reports, by type. */
export interface ClientEvents {
  /** The state changed, or another try to connect failed. */
  readonly state: {
    readonly state: ConnectionState;
    /** Why it is not `connected`. Absent on the first try, and if it is. */
    readonly reason?: ClientError;
    /** Until the next try, in milliseconds. */
    readonly retryInMilliseconds?: number;
  };
  /** After a cut, all that was missed has been handed on. */
  readonly recovered: { readonly topic: string; readonly since: number; readonly position: number };
  /**
   * Messages after `since` and up to `position` may be missing: read again what they would have told.
   * `position` is absent if the topic keeps no stream any more.
   */
  readonly gap: { readonly topic: string; readonly since: number; readonly position?: number };
  /** Something failed that the client goes on after. Without a listener it goes to the console. */
  readonly error: ClientError;
}

export interface Emitter {
  emit<T extends keyof ClientEvents>(type: T, event: ClientEvents[T]): void;
  /** Returns a function that ends it. */
  on<T extends keyof ClientEvents>(type: T, listener: (event: ClientEvents[T]) => void): () => void;
}

/** Tells listeners. One that throws hurts no other. */
export function emitter(): Emitter {
  const listeners = new Map<string, Set<(event: never) => void>>();
  return {
    emit(type, event) {
      const told = listeners.get(type) ?? new Set();
      if (type === "error" && !told.size) console.error(event);
      for (const listener of [...told]) {
        // One before it may have ended it.
        if (!told.has(listener)) continue;
        try {
          (listener as (it: typeof event) => void)(event);
        } catch (fault) {
          console.error(fault);
        }
      }
    },
    on(type, listener) {
      // Wrapped, so that a function that listens twice is two listeners.
      const own = (event: never) => listener(event);
      const told = listeners.get(type) ?? new Set();
      listeners.set(type, told.add(own));
      return () => void told.delete(own);
    },
  };
}
