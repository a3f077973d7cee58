import { setTimeout as pause } from "node:timers/promises";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { partOf } from "../../shared/receipts/row.ts";
import { Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import { progress } from "../progress.ts";
import { laneOf, type ParsedDeadLetter, toJson } from "./parsed-dead-letter.ts";
import { type Chosen, type Selection, select } from "./select.ts";

export interface RedriveOptions {
  /** Dead letters per second. */
  readonly rate: number;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** A dead letter whose body is a job, so that it can be redriven. */
type Drivable = ParsedDeadLetter & { readonly job: Job };

/** The result for a dead letter that matched. */
type Fate = "redriven" | "unparseable" | "repeated" | "refused";

const KEPT: Readonly<Record<Exclude<Fate, "redriven">, string>> = {
  unparseable: "cannot be parsed, so no lane would take them; purge them",
  repeated: "came back while this ran, or are there twice; run it again for them",
  refused: "were not taken by their lane, or not deleted; run it again for them",
};

/**
 * Sends dead letters to their lanes at a rate, and deletes each after the lane stored it. If the command is killed in
 * between, the dead letter is redriven again, and its second claim finds nothing left to do.
 */
export async function redrive(io: Io, selection: Selection, options: RedriveOptions): Promise<void> {
  const { queue } = selection;
  const { rate, dryRun, json } = options;
  const bar = progress(io, json);
  const total = Math.min(selection.limit, await queue.size());
  const driven = new Set<string>();
  const lanes: Partial<Record<Lane, number>> = {};
  const fates: Partial<Record<Fate, number>> = {};

  const report = (deadLetter: ParsedDeadLetter, reason: string | undefined, fate: Fate) => {
    fates[fate] = (fates[fate] ?? 0) + 1;
    const lane = fate === "redriven" && deadLetter.job ? laneOf(deadLetter, deadLetter.job) : undefined;
    if (lane) lanes[lane] = (lanes[lane] ?? 0) + 1;
    if (json) io.stdout.write(`${JSON.stringify({ ...toJson(deadLetter, reason), fate, dryRun })}\n`);
  };

  const send = async (lane: Lane, deadLetters: readonly Drivable[]): Promise<ParsedDeadLetter[]> => {
    if (deadLetters.length === 0) return [];
    const entries = deadLetters.map(({ body, job }) => ({ body, producer: job.message.producer }));
    const taken = await queue.forward(lane, entries);
    const sent = deadLetters.filter((_, i) => taken[i]);
    const removed = await queue.remove(sent);
    return sent.filter((_, i) => removed[i]);
  };

  const take = async (
    chosen: readonly Chosen[],
    until: AbortSignal,
  ): Promise<readonly ParsedDeadLetter[]> => {
    const ready: Drivable[] = [];
    const reasons = new Map(chosen.map(({ deadLetter, reason }) => [deadLetter.entryId, reason]));
    for (const { deadLetter, reason } of chosen) {
      const { job } = deadLetter;
      if (!job) report(deadLetter, reason, "unparseable");
      else if (driven.has(jobKey(job))) report(deadLetter, reason, "repeated");
      else {
        driven.add(jobKey(job));
        ready.push({ ...deadLetter, job });
      }
    }
    const of = (lane: Lane) => ready.filter((deadLetter) => laneOf(deadLetter, deadLetter.job) === lane);
    const gone = dryRun ? ready : (await Promise.all(LANES.map((lane) => send(lane, of(lane))))).flat();
    for (const deadLetter of ready)
      report(deadLetter, reasons.get(deadLetter.entryId), gone.includes(deadLetter) ? "redriven" : "refused");
    bar.show(driven.size, total, `${driven.size} of about ${total}`);
    if (dryRun) return [];
    await pause((1000 * ready.length) / rate, undefined, { signal: until }).catch(() => undefined);
    return gone;
  };

  try {
    await select(io, selection, take);
  } finally {
    bar.end();
    if (!json) io.stdout.write(summary(lanes, fates, dryRun));
  }
  if (fates.refused) throw new Failure(`${fates.refused} dead letters ${KEPT.refused}`);
}

const jobKey = (job: Job): string =>
  JSON.stringify([job.message.producer, job.message.id, job.message.acceptanceId, partOf(job)]);

function summary(
  lanes: Partial<Record<Lane, number>>,
  fates: Partial<Record<Fate, number>>,
  dryRun: boolean,
): string {
  const parts = LANES.flatMap((lane) => (lanes[lane] ? [`${lane} ${lanes[lane]}`] : []));
  const by = parts.length > 0 ? ` (${parts.join(", ")})` : "";
  const kept = Object.entries(KEPT).flatMap(([fate, why]) => {
    const count = fates[fate as Fate] ?? 0;
    return count > 0 ? [`kept ${count}: they ${why}\n`] : [];
  });
  return `${dryRun ? "would redrive" : "redrove"} ${fates.redriven ?? 0}${by}\n${kept.join("")}`;
}
