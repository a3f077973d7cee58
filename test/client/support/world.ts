import type { Client, ConnectOptions } from "../../../client/api.ts";
import { connectOn } from "../../../client/client.ts";
import type { ClientEvents } from "../../../client/emitter.ts";
import type { TopicTypes } from "../../../client/message.ts";
import type { Runtime } from "../../../client/runtime.ts";

type Frame = Record<string, unknown>;

/** One socket as the router has it. */
export interface ServedSocket {
  readonly openedAt: number;
  readonly protocols: readonly string[];
  /** Frames that the client has sent. */
  readonly got: Frame[];
  /** Frames of one type. */
  ofType(type: string): Frame[];
  readonly state: "opening" | "open" | "closed";
  /** The code with which the client closed it. */
  readonly closedWith: number | undefined;
  accept(): void;
  /** The socket is not opened: what a browser tells of every refusal. */
  refuse(): void;
  send(frame: unknown): void;
  close(code?: number): void;
  /** From now on nothing goes either way, and nobody is told. */
  cutSilently(): void;
}

/** What the router of a world does. Each part may be changed while it runs. */
export interface Script {
  /** Called for each socket that a client makes. */
  onSocket(socket: ServedSocket): void;
  onFrame(socket: ServedSocket, frame: Frame): void;
  /** The HTTP API. */
  onFetch(url: string, init: RequestInit | undefined): Promise<Response> | Response;
}

export interface World {
  readonly runtime: Runtime;
  readonly sockets: ServedSocket[];
  readonly script: Script;
  now(): number;
  /** Moves the clock, and runs what is due on the way, each in its turn. */
  advance(milliseconds: number): Promise<void>;
  /** The machine sleeps: the clock moves, and timers run when it is over, late. */
  sleep(milliseconds: number): Promise<void>;
  /** Runs what is due now. */
  settle(): Promise<void>;
  /** The network or the page is back. */
  wake(): Promise<void>;
  hide(isHidden: boolean): void;
  /** How many sockets are opening or open, and the most that ever were at once. */
  open(): number;
  peak(): number;
  timers(): number;
  connect<T extends object = TopicTypes>(options?: Partial<ConnectOptions>): Client<T>;
}

/** A clock, a network and a router that a test moves by hand. `random` is the same number each time, or a function. */
export function world({ random = () => 0.5 }: { random?: () => number } = {}): World {
  let now = 1_900_000_000_000;
  let ids = 0;
  let isHidden = false;
  let peak = 0;
  const timers = new Map<number, { at: number; callback: () => void }>();
  const wakers = new Set<() => void>();
  const sockets: ServedSocket[] = [];
  const open = () => sockets.filter(({ state }) => state !== "closed").length;

  const script: Script = {
    onSocket: (socket) => socket.accept(),
    onFrame: replyWell,
    onFetch: () => new Response("{}", { status: 404 }),
  };
  const after = (milliseconds: number, callback: () => void) => {
    const id = ++ids;
    timers.set(id, { at: now + milliseconds, callback });
    return () => void timers.delete(id);
  };

  class FakeSocket {
    onopen: (() => void) | null = null;
    onmessage: ((event: { data: unknown }) => void) | null = null;
    onclose: ((event: { code: number; reason: string }) => void) | null = null;
    onerror: (() => void) | null = null;
    readonly send: (text: string) => void;
    readonly close: (code?: number) => void;

    constructor(_url: string, protocols: string[]) {
      let state: ServedSocket["state"] = "opening";
      let isSilent = false;
      let closedWith: number | undefined;
      const got: Frame[] = [];
      const over = (code: number) => {
        if (state === "closed" || isSilent) return;
        state = "closed";
        this.onclose?.({ code, reason: "" });
      };
      const served: ServedSocket = {
        openedAt: now,
        protocols,
        got,
        ofType: (type) => got.filter((frame) => frame["type"] === type),
        get state() {
          return state;
        },
        get closedWith() {
          return closedWith;
        },
        accept() {
          if (state !== "opening") return;
          state = "open";
          open_();
        },
        refuse: () => void after(0, () => over(1006)),
        send: (frame) => {
          if (state === "open" && !isSilent)
            this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
        },
        close: (code = 1006) => over(code),
        cutSilently() {
          isSilent = true;
        },
      };
      const open_ = () => this.onopen?.();
      this.send = (text) => {
        if (state !== "open") throw new Error("the socket is not open");
        const frame = JSON.parse(text) as Frame;
        if (isSilent) return;
        got.push(frame);
        after(0, () => script.onFrame(served, frame));
      };
      this.close = (code) => {
        closedWith = code;
        state = "closed";
      };
      sockets.push(served);
      peak = Math.max(peak, open());
      after(0, () => script.onSocket(served));
    }
  }

  const runtime: Runtime = {
    WebSocket: FakeSocket as unknown as Runtime["WebSocket"],
    fetch: async (url, init) => script.onFetch(String(url), init),
    now: () => now,
    random,
    after,
    onWake(callback) {
      wakers.add(callback);
      return () => void wakers.delete(callback);
    },
    isHidden: () => isHidden,
  };
  // Promises of the client settle between timers. A macrotask runs after all of them.
  const microtasks = () => new Promise<void>((resolve) => setImmediate(resolve));
  const advance = async (milliseconds: number) => {
    const until = now + milliseconds;
    await microtasks();
    for (;;) {
      const [id, timer] = [...timers].reduce<[number, { at: number; callback: () => void }] | []>(
        (first, each) => (first[1] === undefined || each[1].at < first[1].at ? each : first),
        [],
      );
      if (id === undefined || timer === undefined || timer.at > until) break;
      timers.delete(id);
      now = Math.max(now, timer.at);
      timer.callback();
      await microtasks();
    }
    now = until;
  };

  return {
    runtime,
    sockets,
    script,
    now: () => now,
    advance,
    async sleep(milliseconds) {
      now += milliseconds;
      await advance(0);
    },
    settle: () => advance(1),
    async wake() {
      for (const waker of wakers) waker();
      await advance(1);
    },
    hide(hidden) {
      isHidden = hidden;
    },
    open,
    peak: () => peak,
    timers: () => timers.size,
    connect: (options) =>
      connectOn(runtime, {
        url: "wss://push.example.com",
        token: () => "header.payload.signature",
        ...options,
      }),
  };
}

/** A router without streams that takes whatever it is asked. */
export function replyWell(socket: ServedSocket, { type, topics, ref }: Frame): void {
  if (type === "subscribe") socket.send({ type: "subscribed", topics, ref });
  else if (type === "unsubscribe") socket.send({ type: "unsubscribed", topics, ref });
  else if (type === "ping") socket.send({ type: "pong", connection: "c1", ref });
  else if (type === "token")
    socket.send({ type: "token", expiresAt: "2030-01-01T00:00:00Z", removed: [], ref });
}

/** A message frame of a topic. */
export const frame = (topic: string, seq?: number, more: object = {}) => ({
  type: "message",
  id: `${topic}-${seq}`,
  topic,
  ...(seq === undefined ? {} : { seq }),
  data: seq,
  time: "2026-01-31T12:00:00.000Z",
  ...more,
});

/** All events of a client, in order. */
export function recorded(client: Pick<Client, "on">) {
  const events: { type: keyof ClientEvents; event: ClientEvents[keyof ClientEvents] }[] = [];
  for (const type of ["state", "recovered", "gap", "error"] as const)
    client.on(type, (event) => events.push({ type, event }));
  const of = <T extends keyof ClientEvents>(type: T) =>
    events.filter((each) => each.type === type).map(({ event }) => event as ClientEvents[T]);
  return { events, of };
}

/** The socket that was made last. */
export const last = (sockets: readonly ServedSocket[]): ServedSocket => {
  const socket = sockets.at(-1);
  if (!socket) throw new Error("there is no socket");
  return socket;
};
