import { matches } from "../protocol/grant.ts";
import { type Topic, topicTag, type UserId, userTag } from "../protocol/tag.ts";
import type { Target } from "../protocol/target.ts";
import type { Retention, StreamName } from "./stream.ts";

/** Which topics and users keep a stream: a part of the settings. */
export interface StreamSettings {
  readonly streams: readonly (Retention & { readonly topics: string })[];
  readonly userStreams?: Retention | undefined;
}

/** A stream, and how much of it is kept. */
export interface KeptStream {
  readonly stream: StreamName;
  readonly retention: Retention;
}

/**
 * Returns the stream of a topic, or undefined if it keeps none. Patterns are those of grants. If several match, the
 * most specific one holds, in whatever order they are listed: the topic itself before any pattern, a longer pattern
 * before a shorter one.
 */
export function topicStream({ streams }: StreamSettings, topic: Topic): KeptStream | undefined {
  const found = streams
    .filter(({ topics }) => matches(topics, topic))
    .reduce<(typeof streams)[number] | undefined>(
      (best, next) => (best === undefined || isMoreSpecific(next.topics, best.topics) ? next : best),
      undefined,
    );
  return found && { stream: topicTag(topic), retention: retentionIn(found) };
}

/** Returns the stream of a user, or undefined if users keep none. */
export const userStream = ({ userStreams }: StreamSettings, user: UserId): KeptStream | undefined =>
  userStreams && { stream: userTag(user), retention: retentionIn(userStreams) };

/** Returns the stream that a message to the target is appended to: only topics and users have one. */
export function streamOf(settings: StreamSettings, target: Target): KeptStream | undefined {
  if ("topic" in target) return topicStream(settings, target.topic);
  if ("user" in target) return userStream(settings, target.user);
  return undefined;
}

/** Whether any stream is kept. A router that keeps none has no table for them and pays nothing. */
export const keepsStreams = ({ streams, userStreams }: StreamSettings): boolean =>
  streams.length > 0 || userStreams !== undefined;

/** Both match the same name, so that each is its start or, without `*`, all of it. */
const isMoreSpecific = (pattern: string, than: string): boolean =>
  pattern.endsWith("*") === than.endsWith("*") ? pattern.length > than.length : !pattern.endsWith("*");

const retentionIn = ({ seconds, count }: Retention): Retention => ({ seconds, count });
