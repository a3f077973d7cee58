import pLimit from "p-limit";
import { accept, type Refusal, type Result, refuse } from "../../protocol/errors.ts";
import type { ClientFrame, ServerFrame } from "../../protocol/frame.ts";
import { FRAME_BYTES } from "../../protocol/limits.ts";
import type { ConnectionId } from "../../protocol/tag.ts";
import type { KeptStream } from "../../streams/kept.ts";
import { REPLY_BYTES, type StreamReply } from "../../streams/reply.ts";
import { readLast, readSince } from "../streams/read.ts";
import { ensureStarted } from "../streams/start.ts";
import type { FrameLimit } from "./frame-limit.ts";
import {
  frameOf,
  type HistoryDeps,
  type Named,
  positionOf,
  type Reader,
  type StreamReads,
  streamNamed,
} from "./history.ts";
import { tooMany } from "./refusal.ts";

export interface ResumeDeps extends HistoryDeps {
  /** Counts reads of streams. @default no limit */
  readonly readLimit?: FrameLimit;
}

/** The connection that a frame came from. */
export interface Resuming extends Reader {
  readonly connectionId: ConnectionId;
}

/** What a subscribe asks of a topic's stream. */
interface Wanted {
  readonly name: Named;
  /** Absent if the topic keeps no stream. */
  readonly kept?: KeptStream;
  /** Absent if the frame names no position for the topic. It goes before `last`. */
  readonly since?: number;
  readonly last?: number;
}

/** Reads that one frame has under way. */
export const AT_ONCE = 25;

type Subscribed = Extract<ServerFrame, { type: "subscribed" }>;

/** What a reply says of streams. */
export type Resumed = Pick<Subscribed, "positions" | "recovered" | "messages" | "more">;

/**
 * What a subscribe asks of the streams of `names`, the topics that are good. Refuses the frame if `since` names other
 * topics, or if the connection reads too much; nothing is changed then.
 */
export function resumeOf(
  deps: ResumeDeps,
  reader: Resuming,
  { topics, since = {}, last }: Extract<ClientFrame, { type: "subscribe" }>,
  names: readonly Named[],
): Result<readonly Wanted[]> {
  const stray = Object.keys(since).find((name) => !topics.includes(name));
  if (stray !== undefined) {
    const detail = `must name only topics of the frame, got ${stray.slice(0, 128)}`;
    return refuse("FRAME_INVALID", `/since ${detail}`, { errors: [{ pointer: "/since", detail }] });
  }
  const wanted = names.map((name): Wanted => {
    const kept = streamNamed(deps, reader, name);
    return {
      name,
      ...(kept ? { kept } : {}),
      ...(Object.hasOwn(since, name) ? { since: positionOf(since[name]) } : {}),
      ...(last === undefined ? {} : { last }),
    };
  });
  return within(deps, reader, wanted.filter(({ kept }) => kept).length) ?? accept(wanted);
}

/**
 * Where the connection is in each stream, and what it missed. MUST be called after its subscriptions were written: a
 * message is then either sent to it or in this reply. `reply` is the rest of the frame, whose size bounds the messages.
 */
export async function resume(
  { reads }: ResumeDeps,
  wanted: readonly Wanted[],
  reply: ServerFrame,
): Promise<Resumed> {
  const kept = wanted.flatMap(({ kept, ...rest }) => (kept ? [{ ...rest, ...kept }] : []));
  const unrecovered = wanted.flatMap(({ name, kept, since }) => (since !== undefined && !kept ? [name] : []));
  if (!reads || kept.length === 0) return resumed([], unrecovered);
  const asking = kept.filter(({ since, last }) => since !== undefined || last !== undefined).length;
  const budget = Math.floor(budgetBeside(reply, wanted) / Math.max(1, asking));
  const limit = pLimit(AT_ONCE);
  const replies = await Promise.all(
    kept.map((one) => limit(async () => ({ ...one, reply: await readOne(reads, one, budget) }))),
  );
  return resumed(replies, unrecovered);
}

async function readOne(
  reads: StreamReads,
  { stream, retention, since, last }: KeptStream & Pick<Wanted, "since" | "last">,
  budget: number,
): Promise<Pick<StreamReply, "messages" | "position" | "recovered" | "more">> {
  if (since !== undefined) return readSince(reads, stream, retention, since, budget);
  if (last !== undefined) return readLast(reads, stream, retention, last, budget);
  const position = await ensureStarted(reads, stream, retention);
  return { messages: [], position, recovered: true, more: false };
}

interface Answered extends Pick<Wanted, "name" | "since"> {
  readonly reply: Awaited<ReturnType<typeof readOne>>;
}

function resumed(answered: readonly Answered[], unrecovered: readonly Named[]): Resumed {
  const positions = answered.map(({ name, reply }) => [name, reply.position] as const);
  const recovered = [
    ...answered.flatMap(({ name, since, reply }) =>
      since === undefined ? [] : [[name, reply.recovered] as const],
    ),
    ...unrecovered.map((name) => [name, false] as const),
  ];
  const messages = answered.flatMap(({ reply }) => reply.messages.map(frameOf));
  const more = answered.flatMap(({ name, reply }) => (reply.more ? [[name, true] as const] : []));
  return {
    ...(positions.length > 0 ? { positions: Object.fromEntries(positions) } : {}),
    ...(recovered.length > 0 ? { recovered: Object.fromEntries(recovered) } : {}),
    ...(messages.length > 0 ? { messages } : {}),
    ...(more.length > 0 ? { more: Object.fromEntries(more) } : {}),
  };
}

/** Bytes for messages in a reply that says all else at its longest. */
function budgetBeside(reply: ServerFrame, wanted: readonly Wanted[]): number {
  const all = <T>(value: T) => Object.fromEntries(wanted.map(({ name }) => [name, value]));
  const longest = {
    ...reply,
    positions: all(Number.MAX_SAFE_INTEGER),
    recovered: all(false),
    messages: [],
    more: all(true),
  };
  const left = FRAME_BYTES - Buffer.byteLength(JSON.stringify(longest));
  return Math.max(0, Math.min(REPLY_BYTES, left));
}

/** A refusal if the connection reads more streams than it may. */
export function within(
  { readLimit }: ResumeDeps,
  { connectionId }: Pick<Resuming, "connectionId">,
  reads: number,
): { readonly ok: false; readonly refusal: Refusal } | undefined {
  const retryAfter = reads > 0 ? readLimit?.(connectionId, reads) : undefined;
  return retryAfter === undefined ? undefined : tooMany("reads of streams", retryAfter);
}
