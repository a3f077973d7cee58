import { recentEntries, sendsOf } from "../../ports/quota-beats.ts";
import type { Clock, QuotaBeats, Telemetry } from "../../ports.ts";
import type { Beat, QuotaShare } from "./share.ts";

/** Beats for the runs of one container. There are none without a run, so a container that waits for messages costs nothing. */
export interface BeatLoop {
  /** Beats from now on, with the weight of the lane of a run. */
  start(weight: number, telemetry: Pick<Telemetry, "observe" | "warn">): BeatRun;
}

export interface BeatRun {
  /** Ends the beats of the run. Resolves when the others have been told, or after an interval. MUST NOT throw. */
  end(): Promise<void>;
}

export interface BeatLoopDeps {
  readonly share: QuotaShare;
  readonly beats: QuotaBeats;
  readonly clock: Pick<Clock, "pause">;
  /** The requests per second that the account may make, sends and all others. */
  readonly requestsPerSecond: number;
}

interface Run {
  readonly weight: number;
  readonly telemetry: Pick<Telemetry, "observe" | "warn">;
}

export function beatLoop({ share, beats, clock, requestsPerSecond }: BeatLoopDeps): BeatLoop {
  const runs = new Set<Run>();
  let last: Beat["entry"] | undefined;
  let wake = () => {};
  let looping: Promise<void> | undefined;
  let sending = Promise.resolve();

  /** An answer that comes later than the next beat is due counts as lost. */
  const send = ({ entry, onAnswer }: Beat, { telemetry }: Run): Promise<void> => {
    last = entry;
    const answer = beats.beat(entry).catch((fault: unknown) => {
      telemetry.warn("quota not shared", {}, fault);
      return undefined;
    });
    return Promise.race([answer, clock.pause(share.interval())]).then((found) => {
      if (!found) return;
      onAnswer(found);
      telemetry.observe("QuotaInUse", (100 * sendsOf(recentEntries(found))) / requestsPerSecond);
    });
  };
  /** One at a time: what a container said last is what counts. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    sending = sending.then(work);
    return sending;
  };

  const beat = async (): Promise<void> => {
    const [first] = [...runs].sort((a, b) => b.weight - a.weight);
    if (!first || !share.isHeard()) return;
    await send(share.beat(first.weight), first);
    if (runs.has(first) && (share.isHeldBack() || share.isOverclaimed()))
      await send(share.beat(first.weight), first);
    const dead = share.toRemove();
    // A later beat shows whether that worked.
    if (dead) beats.remove(dead).catch(() => {});
  };
  const loop = async (): Promise<void> => {
    let due = clock.pause(share.interval());
    while (runs.size > 0) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
        // The others know already of one that goes on waiting.
        share.onWait(last?.isWaiting ? undefined : resolve);
      });
      await Promise.race([woken, due]);
      // A call that is lost does not delay the beat after it.
      due = clock.pause(share.interval());
      await inTurn(beat);
    }
  };

  return {
    start(weight, telemetry) {
      const run = { weight, telemetry };
      if (runs.size === 0) share.start();
      runs.add(run);
      looping ??= loop().finally(() => {
        looping = undefined;
      });
      return {
        async end() {
          runs.delete(run);
          if (runs.size > 0) return;
          wake();
          await looping;
          await inTurn(async () => {
            if (runs.size === 0 && last && last.claimedPerSecond > 0) await send(share.lastBeat(), run);
          });
        },
      };
    },
  };
}
