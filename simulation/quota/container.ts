import { busyConnections } from "../../shared/pipeline/deliver/busy-connections.ts";
import { rateLimiter } from "../../shared/pipeline/deliver/rate-limiter.ts";
import { beatLoop } from "../../shared/pipeline/quota/beat-loop.ts";
import { quotaShare } from "../../shared/pipeline/quota/share.ts";
import type { Clock, QuotaBeats, RunTelemetry } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { type RatePolicy, sendsPerSecondOf } from "../../shared/settings/policy.ts";
import type { Dice } from "../world/dice.ts";
import { EPOCH, type Events } from "./events.ts";
import type { QuotaMutant } from "./mutants.ts";

export interface ContainerOptions {
  readonly id: string;
  readonly policy: RatePolicy;
  readonly runs: number;
  readonly sendsInFlight: number;
  readonly weight: number;
  /** Sends of one run. */
  readonly sendsPerRun: number;
  /** Milliseconds from the end of one run to the next. */
  readonly betweenRuns: number;
  /** Milliseconds by which its wall clock is ahead of the others'. */
  readonly ahead: number;
  /** Connections whose client does not read: a send to one of them in 20 of its sends is always refused. */
  readonly slowClients: number;
}

export interface World {
  readonly events: Events;
  readonly dice: Dice;
  readonly beats: QuotaBeats;
  /** Sends one frame: false if the account is throttled. */
  readonly send: () => boolean;
  readonly mutant: QuotaMutant;
  readonly telemetry: () => RunTelemetry;
}

export interface Container {
  start(): void;
  /** Ends it in the middle of its run. */
  die(): void;
  /** Stops it in the middle of its run; its monotonic clock stands still meanwhile. */
  freeze(): void;
  thaw(): void;
  /** Puts its wall clock forward or back. */
  step(milliseconds: number): void;
  /** Returns true if it takes the account for throttled: the metric of the alarm counts the runs that end so. */
  isThrottled(): boolean;
}

const LATENCY = 10;

/** One busy container: its workers send as fast as the real limiter lets them, which the real beats steer. */
export function container(
  options: ContainerOptions,
  { events, dice, beats, send, mutant, telemetry: newTelemetry }: World,
): Container {
  let state: "running" | "frozen" | "dead" = "running";
  let ahead = options.ahead;
  let frozenAt = 0;
  let lost = 0;
  const waiting: { readonly left: number; readonly callback: () => void }[] = [];
  const later = (milliseconds: number, callback: () => void) =>
    events.at(events.now() + milliseconds, () => {
      // Its timers stand still with it.
      if (state === "frozen") waiting.push({ left: events.now() - frozenAt, callback });
      if (state === "running") callback();
    });
  const clock: Clock = {
    now: () => EPOCH + events.now() + ahead,
    monotonic: () => events.now() - lost,
    pause: (milliseconds) => new Promise((resolve) => later(milliseconds, resolve)),
  };
  const overNetwork: QuotaBeats = {
    ...beats,
    beat: async (entry) => {
      const answer = await beats.beat(entry);
      // An answer to a container that is frozen meanwhile waits for it, or is lost with it.
      await clock.pause(0);
      return answer;
    },
  };
  const { policy, runs, id } = options;
  const capacity = sendsPerSecondOf(policy);
  const share = quotaShare({ id, capacity, runs, clock: mutant.clock(clock) });
  const limiter = rateLimiter(policy, share);
  const busy = busyConnections();
  const requestsPerSecond = policy.quotaRequestsPerSecond;
  const loop = beatLoop({ share, beats: mutant.beats(overNetwork), clock, requestsPerSecond });
  let sent = 0;

  const connection = (): ConnectionId => {
    const isSlow = options.slowClients > 0 && dice.chance(0.05);
    return (isSlow ? `slow-${dice.whole(1, options.slowClients)}` : `${id}-${sent}`) as ConnectionId;
  };
  const isThrottled = () => limiter.isThrottled(clock.monotonic());
  const run = (): void => {
    const telemetry = newTelemetry();
    const beating = loop.start(options.weight, telemetry);
    let left = options.sendsPerRun;
    let workers = options.sendsInFlight;
    const worker = (): void => {
      if (left <= 0) {
        if (--workers === 0) void end();
        return;
      }
      left--;
      const target = connection();
      if (busy.known(target, clock.monotonic(), 30_000)) later(1, worker);
      else attempt(target);
    };
    const end = async (): Promise<void> => {
      if (isThrottled()) telemetry.count("QuotaExhausted");
      await beating.end();
      telemetry.flush();
      later(options.betweenRuns, run);
    };
    const attempt = (target: ConnectionId): void => {
      const now = clock.monotonic();
      const wait = limiter.acquire(now);
      if (wait > 0) {
        later(wait, () => attempt(target));
        return;
      }
      sent++;
      busy.onStart(target, now);
      const isSent = send() && !target.startsWith("slow");
      later(LATENCY, () => {
        const result = isSent ? ({ kind: "sent" } as const) : ({ kind: "throttled", reason: "429" } as const);
        const at = clock.monotonic();
        if (mutant.brakes) limiter.onResult(target, result, at, busy.onResult(target, result, at));
        worker();
      });
    };
    for (let i = 0; i < options.sendsInFlight; i++) worker();
  };

  return {
    start: run,
    die() {
      state = "dead";
    },
    freeze() {
      state = "frozen";
      frozenAt = events.now();
    },
    thaw() {
      state = "running";
      lost += events.now() - frozenAt;
      for (const { left, callback } of waiting.splice(0)) later(left, callback);
    },
    step(milliseconds) {
      ahead += milliseconds;
    },
    isThrottled,
  };
}
