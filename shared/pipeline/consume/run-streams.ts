import type { Clock, Random, Streams } from "../../ports.ts";
import type { Job } from "../../receipts/job.ts";
import { type KeptStream, type StreamSettings, streamOf } from "../../streams/kept.ts";
import type { StreamName } from "../../streams/stream.ts";
import { emptyMessage } from "../streams/empty.ts";
import type { StreamDeps } from "../streams/head.ts";
import type { Heads } from "../streams/heads.ts";
import { type StreamBatchOptions, type StreamMember, streamBatch } from "./stream-batch.ts";

/** What a consumer needs if any stream is kept. */
export interface ConsumeStreams {
  readonly table: Streams;
  /** What the container remembers. */
  readonly heads: Heads;
  readonly kept: StreamSettings;
}

export interface RunStreamsDeps {
  /** Without it no stream is read or written. */
  readonly streams?: ConsumeStreams | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
}

export interface RunStreamsOptions extends Pick<StreamBatchOptions, "onAppended"> {
  /** When the run appends nothing more, in milliseconds since 1970: it has to write its outcomes after it. */
  readonly end: number;
}

/** The streams of one run. */
export interface RunStreams {
  /**
   * The messages that the run may append, by job: all whose targets keep a stream. Those of one stream are one batch:
   * each MUST be appended or leave, or the others wait for ever. A job of a split message has its number in its body.
   */
  members(jobs: readonly Job[]): ReadonlyMap<Job, StreamMember>;
  /** Takes the data of a cancelled or expired message out of its stream. Does nothing if it has no number. */
  empty(job: Job): Promise<void>;
}

const NONE: RunStreams = { members: () => new Map(), empty: async () => {} };

export function runStreams(
  { streams, clock, random, newId }: RunStreamsDeps,
  { end, onAppended }: RunStreamsOptions,
): RunStreams {
  if (!streams) return NONE;
  const { table, heads, kept } = streams;
  const deps: StreamDeps = { streams: table, heads, clock, random };
  const run = { id: newId(), end };
  return {
    members(jobs) {
      const batches = new Map<StreamName, { readonly of: KeptStream; readonly jobs: Job[] }>();
      for (const job of jobs) {
        const of = job.range ? undefined : streamOf(kept, job.message.target);
        if (!of) continue;
        const batch = batches.get(of.stream) ?? { of, jobs: [] };
        batches.set(of.stream, batch);
        batch.jobs.push(job);
      }
      const entries = [...batches.values()].flatMap((batch) => {
        const members = streamBatch(deps, { run, onAppended, ...batch.of }, batch.jobs);
        return members.flatMap((member, i) => (batch.jobs[i] ? [[batch.jobs[i], member] as const] : []));
      });
      return new Map(entries);
    },
    async empty({ message, seq }) {
      const of = seq === undefined ? undefined : streamOf(kept, message.target);
      if (of && seq !== undefined) await emptyMessage(deps, of.stream, seq, message.id);
    },
  };
}
