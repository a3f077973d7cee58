import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Clock } from "../../shared/ports.ts";
import type { Limits } from "../limits.ts";
import { type Flow, flow } from "./flow.ts";
import type { Peer } from "./socket-event.ts";

/** An open WebSocket, from the end of $connect to its close. */
export interface Connection extends Pick<Flow, "isFull" | "begin"> {
  readonly peer: Peer;
  readonly socket: WebSocket;
  /** Milliseconds since 1970. */
  lastActiveAt(): number;
  isOpen(): boolean;
  /** Something came in: puts the idle cut off. */
  touch(): void;
  /** Sends a text frame, or queues it until the client reads. */
  send(frame: string | Buffer): void;
  /** Calls back whenever bytes have left this process. One callback at a time. */
  onFlush(callback: () => void): void;
  /** A client that does not answer the close in time is cut off. */
  close(code: number, reason: string): void;
  /** The code that this side closed it with. */
  closedWith(): number | undefined;
  /** From now on the client gets nothing and is heard no more, but the socket counts as open. */
  loseClient(): void;
}

export interface ConnectionDeps {
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly limits: Pick<
    Limits,
    "bufferBytes" | "connectionAge" | "framesInFlight" | "idleTimeout" | "stalledTimeout"
  >;
}

/** Wraps a socket that has just opened, and the stream that it writes to. */
export function connection(
  { clock, limits }: ConnectionDeps,
  peer: Peer,
  socket: WebSocket,
  tcp: Duplex,
): Connection {
  let activeAt = clock.monotonic();
  let closedWith: number | undefined;
  let cut: NodeJS.Timeout | undefined;
  let lost = false;
  let flushed = () => {};

  const close = (code: number, reason: string) => {
    closedWith ??= code;
    traffic.stop();
    socket.close(code, reason);
    cut ??= setTimeout(() => socket.terminate(), CLOSE_WAIT);
    // A socket that is not read would never see the client's answer to the close.
    socket.resume();
  };
  const goAway = () => close(1001, "Going away");
  /** Puts itself off, since a timer set anew for each frame would cost as much as the frame. */
  const cutIdle = () => {
    const left = activeAt + limits.idleTimeout - clock.monotonic();
    if (left > 0) idle = setTimeout(cutIdle, left);
    else goAway();
  };
  let idle = setTimeout(cutIdle, limits.idleTimeout);
  const age = setTimeout(goAway, limits.connectionAge);
  const traffic = flow(socket, tcp, limits, {
    stalled: () => close(1008, "The client does not read"),
    flushed: () => flushed(),
  });
  const touch = () => {
    activeAt = clock.monotonic();
  };

  // A fault of a socket (a frame over the limit, a broken network) ends in its close.
  socket.on("error", () => {});
  socket.on("close", () => {
    clearTimeout(idle);
    clearTimeout(age);
    clearTimeout(cut);
    traffic.stop();
  });

  return {
    peer,
    socket,
    lastActiveAt: () => clock.now() - (clock.monotonic() - activeAt),
    isOpen: () => socket.readyState === socket.OPEN,
    isFull: traffic.isFull,
    begin: traffic.begin,
    touch,
    send(frame) {
      touch();
      if (!lost) traffic.send(frame);
    },
    onFlush(callback) {
      flushed = callback;
    },
    close,
    closedWith: () => closedWith,
    loseClient() {
      lost = true;
      traffic.stop();
      socket.removeAllListeners("message").pause();
    },
  };
}

/** How long a client may take to answer a close, in milliseconds. */
const CLOSE_WAIT = 1_000;
