import { fanoutLane } from "../../shared/protocol/lane.ts";
import { METERED_BYTES, QUEUE_BATCH } from "../../shared/protocol/limits.ts";
import { visibilitySeconds } from "../../shared/settings/derived.ts";
import { sendsPerSecondOf } from "../../shared/settings/policy.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { type Beats, beatsOf } from "./beat.ts";
import { fanoutOf, firstPage, isSplit, servedBy } from "./fanout.ts";
import type { Assumptions, Load, Traffic } from "./load.ts";
import { QUEUE_UNIT, started } from "./unit.ts";

/** What one message leads to, on average: calls, the units they are priced in, and time in milliseconds. */
export interface Work {
  /** HTTP requests, and runs of ingest. */
  readonly requests: number;
  /** SQS calls that send, and those that delete. There are as many receives as deletes. */
  readonly sends: number;
  readonly deletes: number;
  /** SQS requests as they are priced, in steps of 64 KB. */
  readonly queueUnits: number;
  /** DynamoDB calls by name. */
  readonly puts: number;
  readonly updates: number;
  readonly queries: number;
  readonly gets: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly frames: number;
  /** Frames as they are priced, in steps of 32 KB. */
  readonly metered: number;
  readonly jobs: number;
  /** What its runs say of the quota that they share. */
  readonly beats: Beats;
  /** Days that its receipt is kept. */
  readonly keptDays: number;
  /** Runs, and milliseconds of them, in the lane of its priority and in its fanout lane. */
  readonly runs: { readonly own: number; readonly fanout: number };
  readonly time: { readonly ingest: number; readonly own: number; readonly fanout: number };
  /** From POST to the last frame where nothing else is under way, in milliseconds. */
  readonly toLast: number;
}

/** Bytes of a message in a lane beside its data. */
const ENVELOPE = 300;

/** Sends per second that one run makes if `runs` share the fraction of the quota that sends may use. */
function sendRate(settings: Settings, { send }: Assumptions, runs = 1): number {
  return Math.min((settings.advanced.sendsInFlight * 1000) / send, sendsPerSecondOf(settings) / runs);
}

/** What one message of this traffic leads to if every send succeeds at once. */
export function workOf(
  { audience, priority = "normal" }: Pick<Traffic, "audience"> & Partial<Pick<Traffic, "priority">>,
  load: Pick<Load, "bytes" | "perPost" | "perRun">,
  settings: Settings,
  assumed: Assumptions,
): Work {
  const { bytes, perPost, perRun } = load;
  const size = bytes + ENVELOPE;
  const inRun = Math.min(perRun, QUEUE_BATCH);
  const ingest = {
    requests: 1 / perPost,
    sends: Math.ceil(perPost / QUEUE_BATCH) / perPost,
    time: assumed.ingest / perPost,
  };
  const sentUnits = started(size * Math.min(perPost, QUEUE_BATCH), QUEUE_UNIT) * ingest.sends;
  const own = {
    runs: 1 / inRun,
    queueUnits: (started(size * inRun, QUEUE_UNIT) + 1) / inRun,
  };
  const begin = assumed.run / inRun + assumed.perMessage;

  if (!isSplit(audience, settings)) {
    const served = servedBy(audience, settings);
    const sending =
      audience === 0 ? 0 : Math.max(assumed.send / inRun, (audience * 1000) / sendRate(settings, assumed));
    const beats = beatsOf({ sends: audience * inRun, seconds: (sending * inRun) / 1000 }, settings);
    // What only a claim has written goes a day after the message could be back.
    const isSpared = settings.failureReceiptsOnly && audience > 0;
    return {
      requests: ingest.requests,
      sends: ingest.sends,
      deletes: own.runs,
      queueUnits: sentUnits + own.queueUnits,
      puts: 1,
      updates: isSpared ? 0 : 1,
      queries: served.queries,
      // Before each page but the first a run looks whether the message was cancelled.
      gets: served.queries - 1,
      writeUnits: isSpared ? 1 : 2,
      readUnits: served.readUnits + (served.queries - 1),
      frames: audience,
      metered: audience * started(bytes, METERED_BYTES),
      jobs: 0,
      beats: { all: beats.all / inRun, first: beats.first / inRun },
      keptDays: isSpared ? 1 + visibilitySeconds(settings) / 86_400 : settings.receiptRetentionDays,
      runs: { own: own.runs, fanout: 0 },
      time: { ingest: ingest.time, own: begin + sending, fanout: 0 },
      toLast: assumed.ingest + assumed.run + assumed.perMessage + sending,
    };
  }

  const lane = fanoutLane(priority);
  const batchSize = settings.advanced.batchSize[lane];
  const fanout = fanoutOf(audience, size, lane, settings);
  const { jobs, leaves, depth } = fanout;
  const side = Math.min(leaves, settings.lanes[lane].concurrency);
  const rate = sendRate(settings, assumed, side);
  const each = audience / leaves;
  const beats = beatsOf({ sends: each, seconds: each / rate, side }, settings);
  const fanoutBegin = assumed.run / batchSize + assumed.perMessage;
  return {
    requests: ingest.requests,
    sends: ingest.sends + fanout.sends,
    deletes: own.runs + jobs / batchSize,
    queueUnits: sentUnits + own.queueUnits + fanout.queueUnits,
    puts: 1 + jobs,
    updates: fanout.updates,
    queries: 1 + fanout.queries,
    gets: fanout.gets,
    writeUnits: 1 + fanout.writeUnits,
    readUnits: firstPage(audience, settings) + fanout.readUnits,
    frames: audience,
    metered: audience * started(bytes, METERED_BYTES),
    jobs,
    // A container that takes one job after the other has one first.
    beats: { all: leaves * beats.all - (leaves - side) * beats.first, first: side * beats.first },
    keptDays: settings.receiptRetentionDays,
    runs: { own: own.runs, fanout: jobs / batchSize },
    time: { ingest: ingest.time, own: begin, fanout: jobs * fanoutBegin + (audience * 1000) / rate },
    toLast:
      assumed.ingest +
      (1 + depth) * (assumed.run + assumed.perMessage) +
      (audience * 1000) / (rate * side) +
      (Math.ceil(leaves / side) - 1) * fanoutBegin,
  };
}
