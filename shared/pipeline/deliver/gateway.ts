import type { Clock, GatewayState, SendResult, Sockets } from "../../ports.ts";
import type { ConnectionId } from "../../protocol/tag.ts";
import type { PacePolicy } from "../../settings/policy.ts";
import { type BusyConnections, busyConnections, type Waiting } from "./busy-connections.ts";
import { type GatewayHealth, gatewayHealth } from "./gateway-health.ts";
import { type RateLimiter, rateLimiter } from "./rate-limiter.ts";

/** The one way to send: at the rate that the account allows, and with what was learnt from earlier sends. */
export interface Gateway {
  /**
   * Sends one frame when its turn comes. Undefined if `stop` said so before: nothing was sent then. A connection that
   * stays busy is not sent to again within seconds, but fails as before; `isLate` says that it has waited for this.
   * While one send finds out whether it reads again, the others wait.
   */
  send(
    id: ConnectionId,
    frame: Uint8Array,
    options: { readonly stop: () => boolean; readonly isLate: boolean },
  ): Promise<SendResult | Waiting | undefined>;
  /** Whether a send to the connection would fail as before, or wait for another one, without being sent. */
  isBusy(id: ConnectionId): boolean;
  isDown(): boolean;
  /** The gateway's state, by a probe if the last sends do not tell it. */
  state(): Promise<GatewayState>;
}

/** What one container has learnt. It outlives a run. */
export interface GatewayMemory {
  readonly limiter: RateLimiter;
  readonly health: GatewayHealth;
  readonly busy: BusyConnections;
}

/** Milliseconds for which a busy connection's last result stands for the next: in a first delivery, and in a later one. */
const BUSY_FOR = { first: 30_000, late: 1_000 };

export const gatewayMemory = (policy: PacePolicy): GatewayMemory => ({
  limiter: rateLimiter(policy),
  health: gatewayHealth(),
  busy: busyConnections(),
});

export function gateway(
  { limiter, health, busy }: GatewayMemory,
  { sockets, clock }: { readonly sockets: Sockets; readonly clock: Pick<Clock, "monotonic" | "pause"> },
): Gateway {
  const { monotonic } = clock;
  return {
    async send(id, frame, { stop, isLate }) {
      const known = busy.known(id, monotonic(), isLate ? BUSY_FOR.late : BUSY_FOR.first);
      if (known) return known;
      for (let wait = limiter.acquire(monotonic()); wait > 0; wait = limiter.acquire(monotonic())) {
        await clock.pause(wait);
        if (stop()) return undefined;
      }
      busy.onStart(id, monotonic());
      const result = await sockets.send(id, frame);
      const now = monotonic();
      limiter.onResult(id, result, now, busy.onResult(id, result, now));
      health.onResult(id, result, now);
      return result;
    },
    isBusy: (id) => busy.known(id, monotonic(), BUSY_FOR.first) !== undefined,
    isDown: () => health.isDown(),
    state: async () =>
      !health.isDown() && limiter.isThrottled(monotonic())
        ? "throttled"
        : health.state(() => sockets.probe(), monotonic),
  };
}
