/** Largest WebSocket message API Gateway carries, in bytes (API Gateway quotas, "WebSocket message payload size"). */
export const FRAME_BYTES = 131_072;

/** `,"seq":` and the 16 digits of the largest number: what a frame of a stream has more than others, in bytes. */
export const SEQ_BYTES = 23;

/**
 * Largest frame to a topic or a user that keeps a stream, in bytes, with its `seq`. Messages of streams take at most
 * 120 KB of a reply, and topic, `ref` and position the rest of its 128 KB, so every `history` carries at least one.
 */
export const STREAM_FRAME_BYTES = 120_832;

/** Messages that one request asks for by their number. */
export const LAST_MESSAGES = 1_000;

/** API Gateway meters WebSocket traffic in units of this many bytes (API Gateway pricing). */
export const METERED_BYTES = 32_768;

/** Largest body of one POST, in bytes: what one SendMessageBatch may carry (SQS quotas). */
export const BODY_BYTES = 1_048_576;

/** Messages in one POST. */
export const BATCH_MESSAGES = 100;

/** Entries in one SQS batch call (SQS quotas). */
export const QUEUE_BATCH = 10;

/** Longest delay of an SQS message, in seconds (SQS quotas). */
export const DELAY_SECONDS = 900;

/** Longest dedupe window, in seconds. */
export const DEDUPE_SECONDS = 86_400;

/** The dedupe window where a message names none, in seconds. */
export const DEFAULT_DEDUPE_SECONDS = 300;

/**
 * Longest life of a message, in seconds: an hour less than the longest retention of a lane. That is 13 days, since a
 * dead letter has to outlive it (SQS quotas: 14 days).
 */
export const TTL_SECONDS = 1_119_600;

/** Receives after which SQS moves a message to the dead-letter queue by itself: the most it can be set to (SQS). */
export const MAX_RECEIVES = 1_000;

/** How deep the data of a message may nest. Runtimes stringify by recursion (V8 fails at a few thousand). */
export const DATA_LEVELS = 100;

/** Characters of a frame's `ref`: it comes back in a reply that must fit a frame too. */
export const REF_LENGTH = 128;

/** Tags in one expression. Each is a list to read. */
export const EXPRESSION_TAGS = 20;

/** Topics in one frame. */
export const FRAME_TOPICS = 50;

/** Tags held by one connection. */
export const CONNECTION_TAGS = 200;

/** Longest visibility timeout, in seconds (SQS quotas: 12 hours). */
export const VISIBILITY_SECONDS = 43_200;

/** API Gateway cuts a WebSocket connection after this, in seconds (API Gateway quotas: 2 hours). */
export const CONNECTION_SECONDS = 7_200;

/** API Gateway cuts a WebSocket connection after this without traffic, in seconds (API Gateway quotas: 10 minutes). */
export const IDLE_SECONDS = 600;

/**
 * Milliseconds after the connect time in which a 410 may only mean that `$connect` has not returned yet (API Gateway
 * quotas: integration timeout 29 s; the rest is for clocks that differ).
 */
export const CONNECTING = 35_000;

/** The maximum number of failed connections that a receipt names. Its counts include all of them. */
export const NAMED_FAILURES = 100;
