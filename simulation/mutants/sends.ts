import type { ConnectionId } from "../../shared/protocol/tag.ts";
import type { Mutant } from "../world/mutant.ts";
import type { Scenario } from "../world/scenario.ts";
import { sockets } from "./change.ts";

/** Enough sends in a second to meet the rate. */
const BUSY: Scenario = { messages: 30, connections: 60, faults: "run-skew" };

const during = (kind: "gateway-503" | "gateway-403"): Scenario => ({
  outage: { kind, seconds: 300, atClaim: false },
  faults: "none",
});

/** Bugs of what a container knows of the gateway. */
export const SENDS = {
  "rate-never-waited-for": {
    why: "a container sends as fast as it can",
    memory: ({ limiter }) => ({ limiter: { ...limiter, acquire: () => 0 } }),
    in: BUSY,
  },
  "quota-fraction-ignored": {
    why: "a container takes more than its fraction of the quota",
    policy: () => ({ quotaFraction: 4 }),
    in: BUSY,
  },
  "unheard-is-sent": {
    why: "a send without an answer counts as sent",
    ports: sockets(({ send }) => ({
      async send(...asked) {
        const result = await send(...asked);
        return result.kind === "unavailable" ? { kind: "sent" } : result;
      },
    })),
  },
  "rounds-in-an-outage": {
    why: "an outage of the gateway costs rounds",
    ports: sockets(() => ({ probe: async () => "up" })),
    in: during("gateway-503"),
  },
  "probe-storm": {
    why: "a container does not remember what a probe said",
    memory: ({ health }) => ({ health: { ...health, state: (probe) => probe() } }),
    in: during("gateway-503"),
  },
  "claims-while-down": {
    why: "a container that finds the gateway down goes on claiming",
    memory: ({ health }) => ({ health: { ...health, isDown: () => false } }),
    in: during("gateway-503"),
  },
  "forbidden-is-refused": {
    why: "a 403 fails a connection for good",
    ports: sockets(({ send }) => ({
      async send(...asked) {
        const result = await send(...asked);
        return result.kind === "unavailable" && result.forbidden
          ? { kind: "refused", reason: result.reason }
          : result;
      },
    })),
    in: during("gateway-403"),
  },
  "slow-client-slows-all": {
    why: "each 429 of one client counts for the rate, and no busy connection is remembered",
    memory: ({ limiter, busy }) => {
      let results = 0;
      return {
        busy: { ...busy, known: () => undefined },
        limiter: {
          ...limiter,
          onResult: (id, ...learnt) => limiter.onResult(`${id}${++results}` as ConnectionId, ...learnt),
        },
      };
    },
    in: { slow: 10, connections: 70, messages: 60, faults: "none" },
  },
} as const satisfies Record<string, Mutant>;
