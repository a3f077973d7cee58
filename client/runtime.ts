/** The WebSocket of browsers, as far as the client uses it. That of `ws` has the same form. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** What the client stands on. Tests move its clock. Times are in milliseconds. */
export interface Runtime {
  readonly WebSocket: WebSocketConstructor;
  readonly fetch: typeof fetch;
  now(): number;
  /** From 0 to 1, without 1. */
  random(): number;
  /** Calls back once, unless the function that it returns is called before. */
  after(milliseconds: number, callback: () => void): () => void;
  /** Calls back when the network or the page is back, until the function that it returns is called. */
  onWake(callback: () => void): () => void;
  /** Whether nobody sees the page: browsers then run its timers late. */
  isHidden(): boolean;
}

/** Parts of a browser that servers lack. */
interface Surroundings {
  readonly WebSocket?: WebSocketConstructor;
  readonly document?: Listened & { readonly visibilityState: string };
  readonly addEventListener?: Listened["addEventListener"];
  readonly removeEventListener?: Listened["removeEventListener"];
}
interface Listened {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** The longest time of a timer. A longer one would run at once. */
const LONGEST = 2 ** 31 - 1;

/** The browser, Node, Deno, Bun or worker that the client runs in. */
export function surroundings(WebSocket?: WebSocketConstructor): Runtime {
  const scope = globalThis as unknown as Surroundings;
  const socket = WebSocket ?? scope.WebSocket;
  if (!socket)
    throw new TypeError("there is no WebSocket here: pass one, such as connect({ WebSocket }) of `ws`");
  const isHidden = () => scope.document?.visibilityState === "hidden";
  return {
    WebSocket: socket,
    fetch: (input, init) => fetch(input, init),
    now: Date.now,
    random: Math.random,
    after(milliseconds, callback) {
      const timer = setTimeout(callback, Math.min(milliseconds, LONGEST));
      return () => clearTimeout(timer);
    },
    onWake(callback) {
      const seen = () => isHidden() || callback();
      scope.addEventListener?.("online", callback);
      scope.document?.addEventListener("visibilitychange", seen);
      return () => {
        scope.removeEventListener?.("online", callback);
        scope.document?.removeEventListener("visibilitychange", seen);
      };
    },
    isHidden,
  };
}

/** A runtime whose timers end all at once. After that it starts none. */
export function stoppable(base: Runtime): { runtime: Runtime; stop(): void } {
  const stops = new Set<() => void>();
  let hasStopped = false;
  const after: Runtime["after"] = (milliseconds, callback) => {
    if (hasStopped) return () => {};
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
  return {
    runtime: { ...base, after },
    stop() {
      hasStopped = true;
      for (const stop of [...stops]) stop();
    },
  };
}
