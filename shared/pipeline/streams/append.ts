import { backoff } from "../../backoff.ts";
import { counts } from "../../streams/life.ts";
import { inRows, isBlocker, rowAfter } from "../../streams/row.ts";
import type { Retention, StreamName, StreamRow } from "../../streams/stream.ts";
import type { StreamDeps } from "./head.ts";
import { PAUSE, startedHead } from "./start.ts";

/** A run that appends. */
export interface Appender {
  readonly id: string;
  /** The end of the run, in milliseconds since 1970. It writes no message afterwards. */
  readonly end: number;
}

/**
 * Conflicts after which an append goes on from the row in its way at once: that is as fresh as a head that was read and
 * costs nothing. If others keep being faster they are many, and it waits and reads.
 */
const DIRECT = 2;

/**
 * Appends the messages that a run has for one stream, each a frame as JSON without `seq`, in as few rows as they fit.
 * Returns their numbers in the same order: fewer than there are frames if the run's end came, or if the table failed
 * after the first row. Throws TABLE_UNAVAILABLE if it failed before.
 */
export async function append(
  deps: StreamDeps,
  stream: StreamName,
  retention: Retention,
  run: Appender,
  frames: readonly string[],
): Promise<readonly number[]> {
  const numbers: number[] = [];
  try {
    let head = remembered(deps, stream);
    for (const messages of inRows(frames)) {
      const row = await appendRow(deps, stream, retention, run, messages, head);
      if (row === undefined) break;
      numbers.push(...messages.map((_, i) => row.seq + i));
      head = row;
    }
  } catch (fault) {
    if (numbers.length === 0) throw fault;
  }
  return numbers;
}

/** Returns the row that was written, or undefined if the run's end came first. */
async function appendRow(
  deps: StreamDeps,
  stream: StreamName,
  retention: Retention,
  run: Appender,
  messages: readonly string[],
  known: StreamRow | undefined,
): Promise<StreamRow | undefined> {
  const { streams, clock, random, heads } = deps;
  let head = known;
  for (let conflicts = 0; ; conflicts++) {
    head ??= await startedHead(deps, stream, retention);
    const now = clock.now();
    if (now >= run.end) return undefined;
    const row = rowAfter(head, messages, { now, retention, run: run.id });
    const inTheWay = await streams.append(stream, row);
    if (inTheWay === undefined || isSame(inTheWay, row)) {
      heads?.appended(stream, row, head);
      return row;
    }
    heads?.conflicted(stream, inTheWay);
    const isHead = !isBlocker(inTheWay) && counts(inTheWay, clock.now());
    if (isHead && conflicts < DIRECT) head = inTheWay;
    else {
      await clock.pause(backoff(conflicts, PAUSE, random()));
      head = undefined;
    }
  }
}

function remembered({ heads, clock }: StreamDeps, stream: StreamName): StreamRow | undefined {
  const head = heads?.take(stream);
  return head && counts(head, clock.now()) ? head : undefined;
}

/** A put whose response was lost is made again by the SDK, and then its own row is in the way. */
const isSame = (found: StreamRow, { run, messages }: StreamRow): boolean =>
  found.run === run &&
  found.messages.length === messages.length &&
  found.messages.every((message, i) => message === messages[i]);
