import { ClientError } from "./error.ts";
import { type Frame, frameOf, type MessageFrame, type Reply } from "./frame.ts";
import type { Runtime, WebSocketLike } from "./runtime.ts";

/** Sub-protocol of the router (docs/protocol.md). */
const SUBPROTOCOL = "tagwire.v1";

/** How long a socket may take to open: a first $connect can wait for two cold starts. Milliseconds, as those below. */
const OPEN_LIMIT = 20_000;
const REPLY_LIMIT = 10_000;
const PROBE_LIMIT = 5_000;
/** After this long without a frame the socket is probed before something is sent. */
const LONG_IDLE = 60_000;

/** Codes that end a connection: only a new one helps. */
const ENDING = /^(TOKEN_EXPIRED|CONNECTION_UNKNOWN)$/;

/** A frame that the client sends, without its `ref`. */
export interface ClientFrame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One socket. */
export interface Link {
  /** When a frame came last, in milliseconds since 1970. */
  heardAt(): number;
  /** Sends a frame. `done` gets the reply, or undefined if the socket ended before it. */
  request(frame: ClientFrame, done: (reply: Reply | undefined) => void): void;
  /** Asks for a sign of life. Without one within 5 s the socket ends. */
  probe(done?: (reply: Reply | undefined) => void): void;
  /** Ends it in good order, without `onEnd`. */
  close(): void;
}

export interface LinkEvents {
  onOpen(): void;
  onMessage(message: MessageFrame): void;
  /** It is over, and nothing more is told of it. */
  onEnd(reason: ClientError): void;
  /** A frame came that is not in the protocol. */
  onRubbish(): void;
  onPong(pong: Reply): void;
  /** What a ping says beside its type. */
  pingFields(): object;
}

/** Opens a socket with a token. */
export function openLink(runtime: Runtime, url: string, token: string, events: LinkEvents): Link {
  const pending = new Map<number, { type: string; done(reply: Reply | undefined): void; stop(): void }>();
  /** What the gateway said of frames that it refused. It does not say which: those that are left without an answer. */
  const refusals: Reply[] = [];
  let probing: ((reply: Reply | undefined) => void)[] | undefined;
  let refs = 0;
  let heardAt = runtime.now();
  let isOpen = false;
  let isOver = false;
  let socket: WebSocketLike | undefined;

  const close = () => {
    if (isOver) return;
    isOver = true;
    stopOpening();
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      // `ws` throws at an error that nobody listens for, and reports one for a socket that is closed while it opens.
      socket.onerror = () => {};
      socket.close(1000);
    }
    const left = [...pending.values()];
    pending.clear();
    for (const { done, stop } of left) {
      stop();
      done(undefined);
    }
  };
  const end = (reason: ClientError) => {
    if (isOver) return;
    close();
    events.onEnd(reason);
  };
  const stopOpening = runtime.after(OPEN_LIMIT, () =>
    end(new ClientError("UNREACHABLE", `no connection within ${OPEN_LIMIT / 1000} s`)),
  );

  const transmit = (frame: ClientFrame, limit: number, done: (reply: Reply | undefined) => void) => {
    if (isOver) return done(undefined);
    const ref = ++refs;
    const stop = runtime.after(limit, () =>
      end(new ClientError("NO_ANSWER", `no answer within ${limit / 1000} s`)),
    );
    pending.set(ref, { type: frame.type, done, stop });
    try {
      socket?.send(JSON.stringify({ ...frame, ref }));
    } catch (cause) {
      end(new ClientError("CONNECTION_LOST", "the socket takes no frame", { cause }));
    }
  };
  const probe: Link["probe"] = (done = () => {}) => {
    if (probing) return void probing.push(done);
    const waiting = [done];
    probing = waiting;
    transmit({ type: "ping", ...events.pingFields() }, PROBE_LIMIT, (reply) => {
      probing = undefined;
      if (reply) events.onPong(reply);
      for (const each of waiting) each(reply);
    });
  };

  const take = (frame: Frame | undefined) => {
    if (!frame) return events.onRubbish();
    if (frame.type === "message") return events.onMessage(frame.message);
    const { ref, reply } = frame;
    const asked = pending.get(ref as number);
    // Of a `token` frame it is said of the new token: the old one may hold.
    if (ENDING.test(reply.code) && asked?.type !== "token")
      return end(new ClientError(reply.code, reply.detail));
    if (ref === undefined && reply.type === "error") refusals.push(reply);
    else answer(ref as number, reply);
    if (refusals.length < pending.size) return;
    for (const left of [...pending.keys()]) answer(left, refusals.pop() as Reply);
    refusals.length = 0;
  };
  const answer = (ref: number, reply: Reply) => {
    const asked = pending.get(ref);
    pending.delete(ref);
    asked?.stop();
    asked?.done(reply);
  };

  try {
    socket = new runtime.WebSocket(url, [SUBPROTOCOL, `token.${token}`]);
    socket.onopen = () => {
      stopOpening();
      isOpen = true;
      heardAt = runtime.now();
      events.onOpen();
    };
    socket.onmessage = ({ data }: { data: unknown }) => {
      heardAt = runtime.now();
      take(frameOf(data));
    };
    socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
      end(
        new ClientError(
          isOpen ? "CONNECTION_LOST" : "UNREACHABLE",
          `closed with ${code}${reason && `: ${reason}`}`,
        ),
      );
    // An error ends in the close.
    socket.onerror = () => {};
  } catch (cause) {
    // Later, as everything else that ends a socket.
    runtime.after(0, () =>
      end(new ClientError("UNREACHABLE", "no socket could be made of this address and token", { cause })),
    );
  }

  return {
    heardAt: () => heardAt,
    request(frame, done) {
      const send = () => transmit(frame, REPLY_LIMIT, done);
      if (runtime.now() - heardAt > LONG_IDLE) probe((reply) => (reply ? send() : done(undefined)));
      else send();
    },
    probe,
    close,
  };
}
