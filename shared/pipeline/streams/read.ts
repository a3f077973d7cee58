import { afterLoss, numbersFor, type StreamReply, type Walk, walkOver } from "../../streams/reply.ts";
import { endOf } from "../../streams/row.ts";
import type { Retention, StreamName, StreamRow } from "../../streams/stream.ts";
import { firstRow } from "./find.ts";
import type { StreamDeps } from "./head.ts";
import { renewedHead } from "./start.ts";

export type { KeptMessage, StreamReply } from "../../streams/reply.ts";

/*
 * All reads start the stream if no head counts, so that every position which a client gets is real. `budgetBytes` is
 * what is left of a reply; a message that does not fit it is left for the next reply, and `more` is true.
 */

/**
 * For a subscribe: the messages after `since`, if all of them are kept; otherwise the position of the last message and
 * nothing else, with `recovered: false`. MUST be called after the subscription was written.
 */
export async function readSince(
  deps: StreamDeps,
  stream: StreamName,
  retention: Retention,
  since: number,
  budgetBytes: number,
): Promise<StreamReply> {
  const head = await renewedHead(deps, stream, retention);
  const end = endOf(head);
  const lost = { messages: [], position: end, recovered: false, more: false, gap: true };
  if (since > end || since < end - retention.count) return lost;
  const { walk, isCut } = await collect(deps, stream, head, { from: since + 1, budgetBytes, onLoss: "stop" });
  return isCut ? lost : replyOf(walk, end);
}

/**
 * The messages after `since`. If some of them are no longer kept it begins at the oldest kept one, with `gap: true`. A
 * `since` above the last message gives its position, no messages and a gap.
 */
export async function readHistory(
  deps: StreamDeps,
  stream: StreamName,
  retention: Retention,
  since: number,
  budgetBytes: number,
): Promise<StreamReply> {
  const head = await renewedHead(deps, stream, retention);
  const end = endOf(head);
  if (since > end) return { messages: [], position: end, recovered: false, more: false, gap: true };
  const oldest = Math.max(since, end - retention.count) + 1;
  const { walk, skipped } = await collect(deps, stream, head, {
    from: oldest,
    budgetBytes,
    onLoss: "skip",
  });
  const gap = skipped || oldest > since + 1 || walk.omitted;
  return { ...replyOf(walk, end), recovered: !gap, gap };
}

/** The last messages, at most `count` of them, the oldest first. */
export async function readLast(
  deps: StreamDeps,
  stream: StreamName,
  retention: Retention,
  count: number,
  budgetBytes: number,
): Promise<StreamReply> {
  const head = await renewedHead(deps, stream, retention);
  const end = endOf(head);
  // Numbers without data do not count, so it may have to look further back.
  for (let span = Math.max(count, 1); ; span *= 4) {
    const numbers = Math.min(span, retention.count, end);
    const from = end - numbers + 1;
    const { walk } = await collect(deps, stream, head, { from, budgetBytes, onLoss: "skip" });
    const reply = replyOf(walk, end);
    const isAll = reply.more || numbers < span || reply.messages.length >= count;
    if (isAll) return { ...reply, messages: reply.messages.slice(-count) };
  }
}

const replyOf = ({ messages, next, omitted }: Walk, end: number): StreamReply => ({
  messages,
  position: next - 1,
  recovered: true,
  more: next <= end,
  gap: omitted,
});

interface Collected {
  readonly walk: Walk;
  /** Whether it stopped at a lost number. */
  readonly isCut: boolean;
  /** Whether it went on after lost numbers. */
  readonly skipped: boolean;
}

/**
 * Collects messages from a number on, up to the head or until the budget is used up. At a lost number it stops, or goes
 * on with the next kept one if it has no message yet and `onLoss` is `skip`.
 */
async function collect(
  { streams, clock }: StreamDeps,
  stream: StreamName,
  head: StreamRow,
  { from, budgetBytes, onLoss }: { from: number; budgetBytes: number; onLoss: "stop" | "skip" },
): Promise<Collected> {
  const walk: Walk = { messages: [], next: from, budgetBytes, omitted: false };
  const end = endOf(head);
  let skipped = false;
  // `rows` hold all numbers from `from` to `to`; rows from `key` on are not read yet.
  let rows: readonly StreamRow[] = from >= head.seq ? [head] : [];
  let to = from >= head.seq ? end : from - 1;
  let key = firstRow(from);
  for (;;) {
    const ended = walkOver(walk, rows, clock.now());
    if (ended === "full" || walk.next > end) return { walk, isCut: false, skipped };
    if (ended === "lost" || walk.next <= to) {
      if (onLoss === "stop" || walk.messages.length > 0) return { walk, isCut: true, skipped };
      skipped = true;
      walk.next = afterLoss(walk.next, rows, to);
    } else {
      const wanted = skipped ? end : Math.min(end, walk.next + numbersFor(walk, head) - 1);
      const page = await streams.read(stream, key, wanted);
      const last = page.rows.at(-1);
      rows = page.rows;
      to = page.isComplete || last === undefined ? wanted : endOf(last);
      key = Math.max(to, last === undefined ? 0 : Math.max(last.seq, endOf(last))) + 1;
    }
  }
}
