import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Limits } from "../limits.ts";
import { corkForTurn } from "./cork.ts";

/** What bounds the memory of one socket, in both directions. Pongs are bounded by ws itself (maxPendingAutoPongs). */
export interface Flow {
  /** Whether the client has left too many bytes unread to get more posts. */
  isFull(): boolean;
  /** A frame has begun to wait or to run; the function it returns says that it has ended. */
  begin(bytes: number): () => void;
  /** Sends, and looks again once the bytes have left this process. */
  send(data: string | Buffer): void;
  /** From now on the socket is neither paused nor resumed. */
  stop(): void;
}

export interface FlowEvents {
  /** The client has sent frames, and has read too little for too long. */
  stalled(): void;
  /** Bytes have left this process. */
  flushed(): void;
}

/**
 * Stops reading a socket while its frames in flight or its unread bytes are over their limits. If the client has sent
 * frames and reads nothing, `stalled` is called after a time. Posts alone never lead to that.
 */
export function flow(
  socket: WebSocket,
  tcp: Duplex,
  limits: Pick<Limits, "bufferBytes" | "framesInFlight" | "stalledTimeout">,
  { stalled, flushed }: FlowEvents,
): Flow {
  let frames = 0;
  let bytes = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const isFull = () => socket.bufferedAmount >= limits.bufferBytes;
  const calm = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  const look = () => {
    if (stopped) return;
    if (!isFull()) calm();
    const held = isFull() || frames >= limits.framesInFlight || bytes >= limits.bufferBytes;
    if (held && !socket.isPaused) socket.pause();
    if (!held && socket.isPaused) socket.resume();
  };
  const onFlush = () => {
    look();
    flushed();
  };
  const lookAtSender = () => {
    look();
    if (isFull() && !stopped) timer ??= setTimeout(stalled, limits.stalledTimeout);
  };

  return {
    isFull,
    begin(size) {
      frames += 1;
      bytes += size;
      lookAtSender();
      return () => {
        frames -= 1;
        bytes -= size;
        lookAtSender();
      };
    },
    send(data) {
      // All frames of a turn leave together.
      if (corkForTurn(tcp)) socket.send(data, TEXT, onFlush);
      else socket.send(data, TEXT);
    },
    stop() {
      stopped = true;
      calm();
    },
  };
}

const TEXT = { binary: false };
