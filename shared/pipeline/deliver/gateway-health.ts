import type { GatewayState, SendResult } from "../../ports.ts";
import type { ConnectionId } from "../../protocol/tag.ts";

/** A container's view of the gateway's state. Times are monotonic milliseconds. */
export interface GatewayHealth {
  onResult(id: ConnectionId, result: SendResult, now: number): void;
  /** Returns true if several distinct connections in a row were unavailable and no later probe found the gateway up. */
  isDown(): boolean;
  /** Returns the current state: `up` if most recent sends were answered, otherwise the result of a probe. */
  state(probe: () => Promise<GatewayState>, now: () => number): Promise<GatewayState>;
}

/** The number of distinct connections that must fail in a row before the gateway counts as down. */
const IN_A_ROW = 5;
/** Milliseconds for which a result is valid: a gateway that is down gets one probe in this time. */
const MOMENT = 1_000;
/** The weight of the last result in the moving average of answered sends. */
const WEIGHT = 0.1;

export function gatewayHealth(): GatewayHealth {
  const failing = new Set<ConnectionId>();
  /** The part of recent sends that were answered, and when the last one was. */
  let answered = 1;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let probed: { readonly at: number; readonly state: Promise<GatewayState> } | undefined;
  let down = false;

  const isUp = (at: number) => answered >= 0.5 && at - answeredAt < MOMENT;
  const ask = async (probe: () => Promise<GatewayState>): Promise<GatewayState> => {
    const state = await probe();
    down = state === "down";
    if (!down) failing.clear();
    return state;
  };

  return {
    onResult(id, { kind }, now) {
      const isAnswer = kind !== "unavailable" && kind !== "throttled";
      answered = answered * (1 - WEIGHT) + (isAnswer ? WEIGHT : 0);
      if (isAnswer) answeredAt = now;
      if (kind === "unavailable") {
        failing.add(id);
        if (failing.size >= IN_A_ROW) down = true;
      } else {
        failing.clear();
        down = false;
      }
    },
    isDown: () => down,
    state(probe, now) {
      const at = now();
      if (!down && isUp(at)) return Promise.resolve("up");
      if (!probed || at - probed.at >= MOMENT) probed = { at, state: ask(probe) };
      return probed.state;
    },
  };
}
