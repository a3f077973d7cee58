import type { Awaitable, Clock, GatewayState, SendResult, Sockets } from "../../ports.ts";
import type { ConnectionId } from "../../protocol/tag.ts";
import type { RatePolicy } from "../../settings/policy.ts";
import { type BusyConnections, busyConnections, type Waiting } from "./busy-connections.ts";
import { type GatewayHealth, gatewayHealth } from "./gateway-health.ts";
import { type RateLimiter, rateLimiter, type SharedRate } from "./rate-limiter.ts";

/** Sends frames at the rate that the account allows, and takes the results of earlier sends into account. */
export interface Gateway {
  /**
   * Sends one frame when the rate limiter allows it. Returns undefined and sends nothing if `stop` returned true before.
   * A send to a connection that stays busy fails without a call, with the connection's last result, for some seconds;
   * for fewer if `isLate`. One send at a time probes such a connection. Others return `waiting`.
   */
  send(
    id: ConnectionId,
    frame: Uint8Array,
    options: { readonly stop: () => boolean; readonly isLate: boolean },
  ): Awaitable<SendResult | Waiting | undefined>;
  /** Returns true if a send to the connection would fail or wait without a call. */
  isBusy(id: ConnectionId): boolean;
  isDown(): boolean;
  /** Returns true if the account refused sends of late since its quota is used up. */
  isThrottled(): boolean;
  /** Returns the gateway's state, by a probe if recent sends do not show it. */
  state(): Promise<GatewayState>;
}

/** The state that a container keeps between runs. */
export interface GatewayMemory {
  readonly limiter: RateLimiter;
  readonly health: GatewayHealth;
  readonly busy: BusyConnections;
}

/** Milliseconds for which a busy connection's last result is reused: in the first round, and in a later one. */
const BUSY_FOR = { first: 30_000, late: 1_000 };

/** `shared` is what the container may use of the account's quota. @default it knows of no other container */
export const gatewayMemory = (policy: RatePolicy, shared?: SharedRate): GatewayMemory => ({
  limiter: rateLimiter(policy, shared),
  health: gatewayHealth(),
  busy: busyConnections(),
});

export function gateway(
  { limiter, health, busy }: GatewayMemory,
  {
    sockets,
    clock,
  }: {
    readonly sockets: Pick<Sockets, "send" | "probe">;
    readonly clock: Pick<Clock, "monotonic" | "pause">;
  },
): Gateway {
  const { monotonic } = clock;
  const onResult = (id: ConnectionId, result: SendResult, now: number): SendResult => {
    limiter.onResult(id, result, now, busy.onResult(id, result, now));
    health.onResult(id, result, now);
    return result;
  };
  const sendNow = (id: ConnectionId, frame: Uint8Array, now: number): Awaitable<SendResult> => {
    const result = sockets.send(id, frame);
    if (!(result instanceof Promise)) return onResult(id, result, now);
    busy.onStart(id, now);
    return result.then((later) => onResult(id, later, monotonic()));
  };
  /** Sends when the rate limiter allows it, after `wait` milliseconds at the earliest. */
  const sendLater = async (id: ConnectionId, frame: Uint8Array, wait: number, stop: () => boolean) => {
    for (let pause = wait; pause > 0; pause = limiter.acquire(monotonic())) {
      await clock.pause(pause);
      if (stop()) return undefined;
    }
    return sendNow(id, frame, monotonic());
  };
  return {
    send(id, frame, { stop, isLate }) {
      const now = monotonic();
      const known = busy.known(id, now, isLate ? BUSY_FOR.late : BUSY_FOR.first);
      if (known) return known;
      const wait = limiter.acquire(now);
      return wait > 0 ? sendLater(id, frame, wait, stop) : sendNow(id, frame, now);
    },
    isBusy: (id) => busy.known(id, monotonic(), BUSY_FOR.first) !== undefined,
    isDown: () => health.isDown(),
    isThrottled: () => limiter.isThrottled(monotonic()),
    state: async () =>
      !health.isDown() && limiter.isThrottled(monotonic())
        ? "throttled"
        : health.state(() => sockets.probe(), monotonic),
  };
}
