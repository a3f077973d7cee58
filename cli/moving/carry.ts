import { backoff } from "../../shared/backoff.ts";
import type { Kind, LineOf } from "../../shared/moving/line.ts";
import type { NumberedLine } from "../../shared/moving/reader.ts";
import type { ReceiptImport } from "../../shared/ports/receipt-import.ts";
import type { Streams } from "../../shared/ports/streams.ts";
import type { Clock, Entry, MessageQueue, Random } from "../../shared/ports.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { DELAY_SECONDS } from "../../shared/protocol/limits.ts";
import { readBody } from "../../shared/receipts/job-body.ts";
import { NO_DETAILS } from "../../shared/receipts/row.ts";
import { batchesOf } from "./batch.ts";
import { carryStreams, type StreamsCarried } from "./streams.ts";

/** Where an export goes. */
export interface Destination {
  /** Absent: streams are left out. */
  readonly streams?: Streams;
  readonly receipts: ReceiptImport;
  readonly queue: Pick<MessageQueue, "send" | "deadLetter">;
}

export interface CarryOptions {
  /** Seconds (0-900) before any consumer sees a message that waits: so long have clients to connect. */
  readonly holdSeconds: number;
  readonly clock: Pick<Clock, "now" | "pause">;
  readonly random: Random;
  /** Called with the number of lines that are carried. */
  readonly onLines: (lines: number) => void;
}

/** How many lines of each kind were carried. What was there already, from an earlier try, counts in `there` alone. */
export interface Carried extends Pick<StreamsCarried, "begun"> {
  readonly carried: Readonly<Record<Content, number>>;
  readonly there: number;
}

type Content = Exclude<Kind, "export" | "end">;

/** How far entries were sent: the last entry of each kind. */
type Place = Partial<Record<"dead-letter" | "waiting", number>>;

/** Days that a place is remembered: as long as a dead letter may be kept. */
const REMEMBERED_DAYS = 14;

/** Tries of a lane that does not take an entry, and the pause between them in milliseconds. */
const TRIES = 6;
const PAUSE = { base: 100, cap: 5_000 };

/**
 * Carries an export to its destination. It can be run again with the same export: rows are written if they are absent, and what
 * was sent to a queue is remembered batch by batch, so at most the batch under way is sent twice. The claim on its
 * receipt makes such a message one.
 */
export async function carry(
  lines: AsyncIterable<NumberedLine>,
  { streams, receipts, queue }: Destination,
  { holdSeconds, clock, random, onLines }: CarryOptions,
): Promise<Carried> {
  const carried: Record<Content, number> = { stream: 0, receipt: 0, "dead-letter": 0, waiting: 0 };
  let there = 0;
  const ofStreams = streams && carryStreams(streams);
  let name = "";
  let place: Place = {};

  const sent = async (lane: Lane, entries: readonly Entry[]): Promise<void> => {
    let left = entries;
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt === TRIES)
        throw new TagwireError("QUEUE_UNAVAILABLE", `lane ${lane} did not take ${left.length} messages`);
      if (attempt > 0) await clock.pause(backoff(attempt - 1, PAUSE, random()));
      const taken = await queue.send(lane, left);
      left = left.filter((_, i) => !taken[i]);
    }
  };

  const sendWaiting = async (batch: readonly LineOf<"waiting">[]): Promise<void> => {
    const bodies = batch.map((line) => ({ line, read: readBody(line.body) }));
    for (const { line, read } of bodies)
      if (read.kind === "newer")
        throw new TagwireError(
          "EXPORT_NEWER",
          `entry ${line.entry} has a body of version ${read.version}; install the Tagwire that wrote it`,
        );
    const ofLane = (lane: Lane): Entry[] =>
      bodies.flatMap(({ line, read }) =>
        read.kind === "job" && line.lane === lane
          ? [{ job: read.job, delaySeconds: delayOf(line, clock.now(), holdSeconds) }]
          : [],
      );
    await Promise.all([
      ...LANES.map((lane) => sent(lane, ofLane(lane))),
      // What a consumer would do with a body that is no job.
      ...bodies.map(({ line, read }) =>
        read.kind === "invalid" ? queue.deadLetter(line.lane, line.body, read.reason) : undefined,
      ),
    ]);
  };

  /** Sends those that no earlier try has sent. */
  const sendOnce = async <L extends LineOf<keyof Place>>(
    kind: L["kind"],
    batch: readonly L[],
    send: (fresh: readonly L[]) => Promise<unknown>,
  ): Promise<void> => {
    const fresh = batch.filter(({ entry }) => Number(entry) > (place[kind] ?? 0));
    there += batch.length - fresh.length;
    const last = fresh.at(-1);
    if (last === undefined) return;
    await send(fresh);
    place = { ...place, [kind]: Number(last.entry) };
    await receipts.remember(name, JSON.stringify(place), clock.now(), REMEMBERED_DAYS);
    carried[kind] += fresh.length;
  };

  for await (const batch of batchesOf(lines)) {
    switch (batch.kind) {
      case "export":
        name = `import-${batch.lines[0]?.id}`;
        place = JSON.parse((await receipts.remembered(name)) ?? "{}") as Place;
        break;
      case "stream": {
        const written = (await ofStreams?.carry(batch.lines)) ?? { carried: 0, there: 0 };
        carried.stream += written.carried;
        there += written.there;
        break;
      }
      case "receipt": {
        const written = await Promise.all(
          batch.lines.map(({ row, names, expiresAt }) =>
            receipts.restore(row, names ?? NO_DETAILS, expiresAt),
          ),
        );
        const fresh = written.filter((isNew) => isNew).length;
        carried.receipt += fresh;
        there += written.length - fresh;
        break;
      }
      case "dead-letter":
        await sendOnce(batch.kind, batch.lines, (fresh) =>
          Promise.all(
            fresh.map(({ lane = "normal", body, reason = "" }) => queue.deadLetter(lane, body, reason)),
          ),
        );
        break;
      case "waiting":
        await sendOnce(batch.kind, batch.lines, sendWaiting);
        break;
      case "end":
    }
    onLines(batch.last);
  }
  return { carried, there, begun: ofStreams?.begun() ?? [] };
}

/** What is left of its delay, or as long as all are held. SQS has no longer delay than 15 minutes. */
function delayOf({ delayedUntil = 0 }: LineOf<"waiting">, now: number, holdSeconds: number): number {
  const left = Math.ceil((delayedUntil - now) / 1000);
  return Math.min(DELAY_SECONDS, Math.max(holdSeconds, left, 0));
}
