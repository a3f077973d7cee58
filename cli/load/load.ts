import { setTimeout as pause } from "node:timers/promises";
import type { Io } from "../io.ts";
import { type Progress, progress } from "../progress.ts";
import { openAll } from "./fleet.ts";
import { latency } from "./latency.ts";
import { type Fate, type Ledger, ledger } from "./ledger.ts";
import { postAll } from "./post.ts";
import type { LoadReport } from "./report.ts";

export interface LoadOptions {
  readonly sockets: number;
  readonly topics: number;
  /** Sockets opened per second. */
  readonly connectRate: number;
  /** Messages per second. */
  readonly rate: number;
  readonly seconds: number;
  /** Bytes of padding in each message's data. */
  readonly bytes: number;
  /** Seconds without any frame after which the missing ones count as lost. */
  readonly wait: number;
}

/** How often the wait for the last frames looks, in milliseconds. */
const LOOK = 50;
/** What is left of that wait after an interrupt, in milliseconds. */
const BRIEFLY = 1_000;

/** Opens the sockets, posts, waits for the frames, closes everything, and tells what it found. */
export async function load(io: Io, options: LoadOptions, quiet: boolean): Promise<LoadReport> {
  const { topics, rate, seconds, bytes, wait } = options;
  const until = io.interrupt();
  const bar = progress(io, quiet);
  const run = `${Math.floor(io.now()).toString(36)}-${Math.floor(io.random() * 36 ** 4).toString(36)}`;
  const messages = rate * seconds;
  const books = ledger({ sockets: options.sockets, topics, messages });
  const sentAt = new Float64Array(messages);
  const took = { post: latency(), frame: latency() };
  const count = { accepted: 0, refused: 0, unknown: 0 } satisfies Record<Fate, number>;
  const codes: Record<string, number> = {};
  const padding = "x".repeat(bytes);
  const topicOf = (number: number) => `load/${run}/${books.topicOf(number)}`;

  const sockets = await openAll(io, options, { bar, books, until, topicOf }, (socket, id) => {
    const message = Number(id.slice(run.length + 1));
    const began = id.startsWith(`${run}:`) ? sentAt[message] : undefined;
    // A frame of a message that this run did not post is not counted.
    if (began && books.arrived(socket, message)) took.frame.record(performance.now() - began);
  });
  try {
    const from = performance.now();
    const draw = setInterval(() => {
      const at = Math.min(seconds, (performance.now() - from) / 1000);
      const p50 = took.frame.percentiles()?.p50.toFixed(0) ?? "-";
      const note = `${at.toFixed(0)} of ${seconds} s, ${took.frame.count()} frames, p50 ${p50} ms`;
      bar.show(at, seconds, note);
    }, 200);
    const posted = await postAll(io, {
      rate,
      messages,
      bytes: bytes + ENVELOPE_BYTES,
      until,
      messageOf: (message) => ({
        id: `${run}:${message}`,
        target: { topic: topicOf(message) },
        data: { n: message, padding },
      }),
      onPost(message) {
        sentAt[message] = performance.now();
      },
      onFate(message, fate, code) {
        books.posted(message, fate);
        count[fate] += 1;
        if (code !== undefined) codes[code] = (codes[code] ?? 0) + 1;
      },
      onAnswer: took.post.record,
    }).finally(() => clearInterval(draw));
    await lastFrames(books, took.frame.count, until, { most: wait * 1000, bar });
    const percentiles = { post: took.post.percentiles(), latency: took.frame.percentiles() };
    return {
      sockets: {
        asked: options.sockets,
        open: sockets.closers.length,
        cut: sockets.cut(),
        failed: sockets.failed,
      },
      topics,
      messages: { posted: posted.posted, ...count, codes },
      rate: { asked: rate, achieved: posted.posted / Math.max(0.001, posted.took / 1000) },
      seconds: posted.took / 1000,
      frames: books.tally(),
      ...(percentiles.post ? { post: percentiles.post } : {}),
      ...(percentiles.latency ? { latency: percentiles.latency } : {}),
      histogram: took.frame.buckets(),
      interrupted: until.aborted,
    };
  } finally {
    bar.end();
    await Promise.all(sockets.closers.map((close) => close()));
  }
}

/** Bytes of a message without its padding, at most. */
const ENVELOPE_BYTES = 200;

/** Waits while frames keep coming, until all have come or none has for `milliseconds`. */
async function lastFrames(
  books: Ledger,
  arrived: () => number,
  until: AbortSignal,
  { most, bar }: { readonly most: number; readonly bar: Progress },
): Promise<void> {
  let before = -1;
  let since = performance.now();
  while (!books.isComplete()) {
    if (arrived() !== before) since = performance.now();
    before = arrived();
    if (performance.now() - since > (until.aborted ? Math.min(most, BRIEFLY) : most)) return;
    bar.show(1, 1, `waiting for the last of them, ${before} frames so far`);
    await pause(LOOK);
  }
}
