import { fanoutLane, type Lane, type Priority } from "../../shared/protocol/lane.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import type { Assumptions, Load, Traffic } from "./load.ts";
import type { Quotas, StackOptions } from "./quotas.ts";
import type { Work } from "./work.ts";

export interface Planning {
  readonly load: Load;
  readonly settings: Settings;
  readonly quotas: Quotas;
  readonly stack: StackOptions;
  readonly assumed: Assumptions;
  readonly outageSeconds: number;
}

/** Traffic, and what one of its messages leads to. */
export interface Stream extends Traffic {
  readonly work: Work;
  /** The same where every run has a whole batch and nothing slows its sends: what a full lane is capable of. */
  readonly inFull: Work;
}

export interface LanePlan {
  /** Runs at a time, each with a whole batch, that the busiest second needs; and that the settings allow. */
  readonly needed: number;
  readonly allowed: number;
  /** The setting under which the busiest second fills three quarters of the lane. */
  readonly advised: number;
}

/** Milliseconds of runs in a lane, for one message of this priority. */
export const timeIn = (lane: Lane, priority: Priority, time: Work["time"]): number =>
  lane === fanoutLane(priority) ? time.fanout : lane === priority ? time.own : 0;

/** Frames per second that each connection receives, on average. */
export const framesEach = ({ traffic, connections }: Load): number =>
  connections === 0 ? 0 : traffic.reduce((n, { rate, audience }) => n + rate * audience, 0) / connections;
