import * as v from "valibot";

const inWords = (words: string) => words;

/** API Gateway makes connection ids; they look like base64. */
export const ConnectionId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9+/=_-]{1,128}$/, inWords("must be a connection id: 1-128 of A-Z a-z 0-9 + / = _ -")),
  v.brand("ConnectionId"),
);
export type ConnectionId = v.InferOutput<typeof ConnectionId>;

/** The `sub` of a token. `*` is kept free for patterns. */
export const UserId = v.pipe(
  v.string(),
  v.regex(/^[^\s*\p{C}]{1,128}$/u, inWords("must be a user: 1-128 characters without spaces or *")),
  v.brand("UserId"),
);
export type UserId = v.InferOutput<typeof UserId>;

export const Topic = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, inWords("must be a topic: 1-128 of A-Z a-z 0-9 . _ : / -")),
  v.brand("Topic"),
);
export type Topic = v.InferOutput<typeof Topic>;

/** A label on a connection: `user:1001`, `topic:orders`, `region:gd`. */
export const Tag = v.pipe(
  v.string(),
  v.regex(
    /^[a-z][a-z0-9_-]{0,31}:[^\s*\p{C}]{1,128}$/u,
    inWords("must be a tag: name:value, as in region:gd"),
  ),
  v.brand("Tag"),
);
export type Tag = v.InferOutput<typeof Tag>;

/** Held by every connection. It has no colon, so no token and no client can ask for it. */
export const EVERYONE = "everyone" as Tag;

export const userTag = (user: UserId): Tag => `user:${user}` as Tag;
export const topicTag = (topic: Topic): Tag => `topic:${topic}` as Tag;

/** The topic of a tag `topic:…`; undefined of any other tag. */
export const topicIn = (tag: Tag): Topic | undefined =>
  tag.startsWith("topic:") ? (tag.slice("topic:".length) as Topic) : undefined;
