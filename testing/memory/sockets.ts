import type { CloseResult, GatewayState, SendResult, Sockets } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";

export interface MemorySockets extends Sockets {
  open(id: ConnectionId): void;
  /** What a connection got until it was closed, oldest first. */
  frames(id: ConnectionId): readonly string[];
  /** The next sends to a connection end like this instead. */
  fail(id: ConnectionId, ...results: SendResult[]): void;
  /** The next closes of a connection end like this instead. */
  failClose(id: ConnectionId, ...results: CloseResult[]): void;
  /** What probes hear from now on; "up" at first. */
  say(state: GatewayState): void;
}

/** Sockets as arrays of the frames they got. */
export function memorySockets(): MemorySockets {
  const opened = new Set<ConnectionId>();
  const received = new Map<ConnectionId, string[]>();
  const faults = new Map<ConnectionId, SendResult[]>();
  const closeFaults = new Map<ConnectionId, CloseResult[]>();
  let gateway: GatewayState = "up";
  return {
    async send(id, frame) {
      const fault = faults.get(id)?.shift();
      if (fault) return fault;
      if (!opened.has(id)) return { kind: "gone" };
      received.get(id)?.push(new TextDecoder().decode(frame));
      return { kind: "sent" };
    },
    async close(id) {
      const fault = closeFaults.get(id)?.shift();
      return fault ?? { kind: opened.delete(id) ? "closed" : "gone" };
    },
    probe: async () => gateway,
    say: (state) => {
      gateway = state;
    },
    open(id) {
      opened.add(id);
      received.set(id, []);
    },
    frames: (id) => received.get(id) ?? [],
    fail: (id, ...results) => void faults.set(id, [...(faults.get(id) ?? []), ...results]),
    failClose: (id, ...results) => void closeFaults.set(id, [...(closeFaults.get(id) ?? []), ...results]),
  };
}
