import type { GatewayState, SendResult } from "../../shared/ports.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Outages } from "./outage.ts";

/** One WebSocket, and what its client knows about itself. */
export interface Socket {
  readonly connectionId: ConnectionId;
  readonly connectedAt: number;
  readonly user: UserId;
  /** yes: it was told so. maybe: a call that may have changed it is under way, or died. Absent: no. */
  readonly tags: Map<Tag, "yes" | "maybe">;
  state: "connecting" | "open" | "closed";
  /** Gets each frame that arrives. */
  onFrame?: (text: string) => void;
  /** Its client does not read until then: 429 at once, or no answer before the caller's patience is over. */
  slow?: { readonly how: "full" | "hangs"; readonly until: number };
  /** Until then frames for it are taken although it is gone. */
  halfOpenUntil?: number;
}

export interface Posted {
  readonly ending: SendResult;
  /** No answer comes before the caller's patience is over. */
  readonly hangs?: boolean;
}

export interface Gateway {
  /** A new socket; an id that is free again may come back, unless `isNew`. */
  connect(user: UserId, isNew?: boolean): Socket;
  open(socket: Socket): void;
  close(socket: Socket): void;
  /** A post arrives. `land` is called for each frame that reaches a client, at once or later. */
  post(id: ConnectionId, land: (socket: Socket, lied: boolean) => void): Posted;
  /** Whether the account's quota has room for one more request of any kind; it is counted then. */
  admits(): boolean;
  probe(): GatewayState;
  readonly sockets: readonly Socket[];
  /** The socket that has the id now. */
  at(id: ConnectionId): Socket | undefined;
}

export interface GatewayWorld {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly outages: Outages;
  /** Requests per second that the account may make. */
  readonly quota: number;
}

/** Milliseconds before an id may come back: what its last frame began must be over. */
const QUARANTINE = 20_000;

/** The burst that API Gateway allows, in seconds of the quota (5,000 requests where the quota is 10,000/s). */
const BURST = 0.5;

/** API Gateway: sockets, and the posts to them. It says 410 only of sockets that are not open. */
export function simulatedGateway({ now, sleep, dice, faults, outages, quota }: GatewayWorld): Gateway {
  const sockets: Socket[] = [];
  const byId = new Map<ConnectionId, Socket>();
  const free: { readonly id: ConnectionId; readonly since: number }[] = [];
  const bucket = { tokens: quota * BURST, at: now() };
  const admits = () => {
    bucket.tokens = Math.min(quota * BURST, bucket.tokens + ((now() - bucket.at) * quota) / 1_000);
    bucket.at = now();
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  };
  const unavailable = (reason: string) => ({ kind: "unavailable", reason }) as const;
  const throttled = (reason: string) => ({ kind: "throttled", reason }) as const;

  return {
    connect(user, isNew = false) {
      const ripe = free[0] && free[0].since + QUARANTINE <= now();
      const reused = ripe && !isNew && faults.strikes("connection-reused") ? free.shift() : undefined;
      const connectionId = reused?.id ?? (`c${sockets.length}=` as ConnectionId);
      const connectedAt = Math.max(now(), (byId.get(connectionId)?.connectedAt ?? 0) + 1);
      const socket: Socket = { connectionId, connectedAt, user, tags: new Map(), state: "connecting" };
      sockets.push(socket);
      byId.set(connectionId, socket);
      return socket;
    },
    open: (socket) => {
      socket.state = "open";
    },
    close: (socket) => {
      if (socket.state === "closed") return;
      socket.state = "closed";
      if (faults.strikes("socket-halfopen")) socket.halfOpenUntil = now() + dice.whole(1_000, QUARANTINE);
      free.push({ id: socket.connectionId, since: now() });
    },
    post(id, land) {
      if (outages.is("gateway-503")) return { ending: unavailable("503: service unavailable") };
      if (outages.is("gateway-403")) return { ending: { ...unavailable("403: forbidden"), forbidden: true } };
      if (!admits()) return { ending: throttled("429: too many requests") };
      const socket = byId.get(id);
      if (socket?.state !== "open") {
        return { ending: { kind: (socket?.halfOpenUntil ?? 0) > now() ? "sent" : "gone" } };
      }
      if (socket.slow && socket.slow.until > now()) {
        if (socket.slow.how === "full") return { ending: throttled("429: the client's buffer is full") };
        return { ending: unavailable("timeout"), hangs: true };
      }
      if (faults.strikes("post-refused"))
        return { ending: { kind: "refused", reason: "413: payload too large" } };
      if (faults.strikes("post-busy")) return { ending: throttled("429: limit exceeded") };
      if (faults.strikes("post-error")) return { ending: unavailable("500: internal error") };
      if (faults.strikes("post-hang")) return { ending: unavailable("timeout"), hangs: true };
      if (!faults.strikes("post-lie")) {
        land(socket, false);
        return { ending: { kind: "sent" } };
      }
      const hangs = dice.chance(0.5);
      if (hangs && dice.chance(0.5)) void landLater(socket, land);
      else land(socket, true);
      return { ending: unavailable(hangs ? "timeout" : "502: bad gateway"), hangs };
    },
    admits,
    probe() {
      if (outages.is("gateway-503") || outages.is("gateway-403")) return "down";
      return admits() ? "up" : "throttled";
    },
    sockets,
    at: (id) => byId.get(id),
  };

  async function landLater(socket: Socket, land: (socket: Socket, lied: boolean) => void) {
    await sleep(dice.whole(0, 10_000));
    if (socket.state === "open") land(socket, true);
  }
}
