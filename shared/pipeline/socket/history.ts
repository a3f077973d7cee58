import { accept, type Result, refuse } from "../../protocol/errors.ts";
import { maySubscribe } from "../../protocol/grant.ts";
import { parse } from "../../protocol/parse.ts";
import type { History, MessageFrame } from "../../protocol/server-frame.ts";
import { OWN_STREAM, Position } from "../../protocol/stream-frame.ts";
import { Topic, type UserId } from "../../protocol/tag.ts";
import { type KeptStream, type StreamSettings, topicStream, userStream } from "../../streams/kept.ts";
import { type KeptMessage, REPLY_BYTES } from "../../streams/reply.ts";
import type { StreamDeps } from "../streams/head.ts";
import { readHistory, readLast } from "../streams/read.ts";

/** What is read for clients of streams. */
export interface StreamReads extends StreamDeps {
  readonly settings: StreamSettings;
}

export interface HistoryDeps {
  /** Absent if the settings keep no stream. */
  readonly reads?: StreamReads;
}

/** Who asks, and what its token grants. */
export interface Reader {
  readonly user: UserId;
  readonly subscribe: readonly string[];
}

/** A topic that a frame names, or `@user`. */
export type Named = Topic | typeof OWN_STREAM;

/** What is asked of one stream: the messages after a position, or the last ones. */
export interface AskedHistory {
  readonly topic: string;
  readonly since?: unknown;
  readonly last?: number | undefined;
}

/** Returns the topic if the reader may have its messages. Everyone may have those of their own user. */
export function checkNamed(reader: Reader, name: string): Result<Named> {
  if (name === OWN_STREAM) return accept(OWN_STREAM);
  const topic = parse(Topic, name, "TOPIC_INVALID");
  if (!topic.ok || maySubscribe(reader, topic.value)) return topic;
  return refuse("TOPIC_FORBIDDEN", "the token does not grant it");
}

/** Returns the stream of a name, or undefined if the settings keep none. */
export const streamNamed = ({ reads }: HistoryDeps, { user }: Reader, name: Named): KeptStream | undefined =>
  reads && (name === OWN_STREAM ? userStream(reads.settings, user) : topicStream(reads.settings, name));

/**
 * The kept messages of a stream: those after `since`, or the `last` ones. If some are not kept any more it begins at
 * the oldest kept one, with `gap: true`. What is no position is answered like one above the last message: with the
 * present position and a gap. So is every `since` of a topic without a stream, without a position.
 */
export async function history(
  deps: HistoryDeps,
  reader: Reader,
  { topic, since, last }: AskedHistory,
): Promise<Result<History>> {
  const named = checkNamed(reader, topic);
  if (!named.ok) return named;
  const kept = streamNamed(deps, reader, named.value);
  if (!deps.reads || !kept) return accept({ topic, messages: [], more: false, gap: last === undefined });
  const { stream, retention } = kept;
  const reply =
    last === undefined
      ? await readHistory(deps.reads, stream, retention, positionOf(since), REPLY_BYTES)
      : await readLast(deps.reads, stream, retention, last, REPLY_BYTES);
  const { position, more, gap } = reply;
  return accept({ topic, messages: reply.messages.map(frameOf), position, more, gap });
}

/** What is no position becomes one that lies above every message. */
export function positionOf(since: unknown): number {
  const position = parse(Position, since, "FRAME_INVALID");
  return position.ok ? position.value : Number.MAX_SAFE_INTEGER;
}

/** The frame of a kept message. The table holds the JSON of message frames. */
export const frameOf = ({ seq, frame }: KeptMessage): MessageFrame => ({ ...JSON.parse(frame), seq });
