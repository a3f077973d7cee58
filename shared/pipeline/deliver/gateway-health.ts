import type { GatewayState, SendResult } from "../../ports.ts";
import type { ConnectionId } from "../../protocol/tag.ts";

/** What one container knows of the gateway's state. Times are monotonic milliseconds. */
export interface GatewayHealth {
  onResult(id: ConnectionId, result: SendResult, now: number): void;
  /** Whether several distinct connections in a row got no answer of their own, and no probe has said otherwise since. */
  isDown(): boolean;
  /** The state now: told from the last sends if most of them were answered, and asked for by a probe if not. */
  state(probe: () => Promise<GatewayState>, now: () => number): Promise<GatewayState>;
}

/** Distinct connections that must fail in a row before the gateway counts as down. */
const IN_A_ROW = 5;
/** Milliseconds for which an answer stands: a gateway that is down gets one probe in this time. */
const MOMENT = 1_000;
/** Weight of the last result in the part of sends that were answered. */
const WEIGHT = 0.1;

export function gatewayHealth(): GatewayHealth {
  const failing = new Set<ConnectionId>();
  let answered = { part: 1, at: Number.NEGATIVE_INFINITY };
  let probed: { readonly at: number; readonly state: Promise<GatewayState> } | undefined;
  let down = false;

  const isUp = (at: number) => answered.part >= 0.5 && at - answered.at < MOMENT;
  const ask = async (probe: () => Promise<GatewayState>): Promise<GatewayState> => {
    const state = await probe();
    down = state === "down";
    if (!down) failing.clear();
    return state;
  };

  return {
    onResult(id, { kind }, now) {
      const isAnswer = kind !== "unavailable" && kind !== "throttled";
      answered = {
        part: answered.part * (1 - WEIGHT) + (isAnswer ? WEIGHT : 0),
        at: isAnswer ? now : answered.at,
      };
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
