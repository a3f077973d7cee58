import type * as v from "valibot";
import { flag, fraction, group, inFull, list, named, off, required, text, unlimited, whole } from "./leaf.ts";

/*
 * The one source of each setting's name, type, range, default and meaning. docs/settings.md is held to it by a test.
 */

const concurrency = (fallback: number) =>
  whole("Consumer runs of the lane at a time (Lambda: `MaximumConcurrency`).", {
    range: [2, 1_000],
    fallback,
    unit: "runs",
  });

const BACKLOG = "Messages that may wait in the lane before ingest returns 429 `LANE_FULL`.";
const backlogLimit = { range: [1, 1_000_000_000], unit: "messages" } as const;

const lane = (runs: number, fallback: number) =>
  group({
    concurrency: concurrency(runs),
    backlogLimitMessages: whole(BACKLOG, { ...backlogLimit, fallback }),
  });

const JOB_BACKLOG =
  "Jobs that may wait in the lane before messages of its priority get 429 `LANE_FULL`, if nobody knows at what rate it sends.";
const SECONDS =
  "Time that the lane may need for the jobs that wait in it before messages of its priority get 429 `LANE_FULL`.";
const secondsLimit = { range: [1, 1_209_600], unit: "seconds" } as const;

const jobLane = (runs: number) =>
  group({
    concurrency: concurrency(runs),
    backlogLimitMessages: whole(JOB_BACKLOG, { ...backlogLimit, fallback: 100_000 }),
    backlogLimitSeconds: whole(SECONDS, { ...secondsLimit, fallback: 3_600 }),
  });

const batchSize = (fallback: number) =>
  whole("Messages that one run receives (Lambda: `BatchSize`; above 10 it needs a batching window).", {
    range: [1, 10],
    fallback,
    unit: "messages",
  });

const lambda = (
  range: readonly [number, number],
  reason: string,
  timeoutSeconds: number,
  memoryMegabytes: number,
) =>
  group({
    timeoutSeconds: whole(`After this Lambda kills a run (${reason}).`, {
      range,
      fallback: timeoutSeconds,
      unit: "seconds",
    }),
    memoryMegabytes: whole(
      "Memory of the function, and in proportion to it its CPU (Lambda: `MemorySize`).",
      {
        range: [128, 10_240],
        fallback: memoryMegabytes,
        unit: "megabytes",
      },
    ),
  });

/** What is tuned by measurement. Not stable: a minor version may rename or drop any of it. */
const Advanced = group({
  batchSize: group({
    high: batchSize(10),
    normal: batchSize(10),
    low: batchSize(10),
    "fanout-high": batchSize(1),
    "fanout-normal": batchSize(1),
    "fanout-low": batchSize(1),
  }),
  sendsInFlight: whole(
    "Sends that one run has in flight (Lambda: 1,024 file descriptors, 150 kept for SQS and DynamoDB).",
    {
      range: [1, 800],
      fallback: 200,
      unit: "sends",
    },
  ),
  sendAttempts: whole("Sends to one connection in one run: the first and its retries.", {
    range: [1, 10],
    fallback: 3,
    unit: "sends",
  }),
  sendTimeoutMilliseconds: whole("After this a send counts as failed.", {
    range: [100, 29_000],
    fallback: 3_000,
    unit: "milliseconds",
  }),
  pause: group({
    baseMilliseconds: whole(
      "First pause between two rounds of sends in a run; it doubles, with full jitter.",
      {
        range: [1, 60_000],
        fallback: 100,
        unit: "milliseconds",
      },
    ),
    capMilliseconds: whole("Longest pause between two rounds of sends in a run.", {
      range: [1, 60_000],
      fallback: 1_000,
      unit: "milliseconds",
    }),
  }),
  backoff: group({
    baseSeconds: whole("First delay before a message is received again; it doubles, with full jitter.", {
      range: [1, 43_200],
      fallback: 2,
      unit: "seconds",
    }),
    capSeconds: whole("Longest delay before a message is received again (SQS: visibility timeout, 12 h).", {
      range: [1, 43_200],
      fallback: 300,
      unit: "seconds",
    }),
  }),
  reserveMilliseconds: whole(
    "When so much of a run's time is left, it starts no more sends and writes its results.",
    {
      range: [1_000, 899_999],
      fallback: 10_000,
      unit: "milliseconds",
    },
  ),
  pageSize: whole("Rows in a page of a tag's list.", { range: [1, 5_000], fallback: 1_000, unit: "rows" }),
  firstPageSize: whole("Rows in the first page of a tag's list: most lists are short.", {
    range: [1, 5_000],
    fallback: 100,
    unit: "rows",
  }),
  splitLimit: whole("Jobs that one run splits a message into; each may split again.", {
    range: [2, 100],
    fallback: 100,
    unit: "jobs",
  }),
  deathLimit: whole("Runs that may die while they process a message before it ends as `dead`.", {
    range: [1, 100],
    fallback: 5,
    unit: "runs",
  }),
  pendingLimit: whole(
    "Busy connections at which a run stops and leaves the rest of the audience to the next.",
    {
      range: [1, 5_000],
      fallback: 2_000,
      unit: "connections",
    },
  ),
  visibilityFactor: whole(
    "Visibility timeout of the lanes in multiples of the consumer's timeout (AWS advises 6).",
    {
      range: [2, 100],
      fallback: 6,
      unit: "times",
    },
  ),
  backlogRefreshIntervalMilliseconds: whole(
    "How long an ingest container relies on the backlog that it last read.",
    {
      range: [1, 3_600_000],
      fallback: 5_000,
      unit: "milliseconds",
    },
  ),
  rowMarginSeconds: whole("How long a connection's rows outlive it, for clocks that differ.", {
    range: [0, 86_400],
    fallback: 600,
    unit: "seconds",
  }),
  functions: group({
    ingest: lambda([1, 30], "an HTTP API waits for 30 s", 10, 512),
    receipts: lambda([1, 30], "an HTTP API waits for 30 s", 10, 256),
    connections: lambda([1, 30], "an HTTP API waits for 30 s", 10, 256),
    consume: lambda([1, 900], "Lambda: at most 900 s", 60, 1_024),
    socket: lambda(
      [3, 29],
      "a WebSocket API waits for 29 s; half of it is kept to undo a failed connect",
      10,
      256,
    ),
  }),
});

const days = (about: string, longest: number, fallback: number) =>
  whole(about, { range: [1, longest], fallback, unit: "days" });

const retention = {
  seconds: required("How long a client can ask for a message of the stream.", {
    range: [1, 2_592_000],
    unit: "seconds",
  }),
  count: required("Messages of the stream that a client can ask for.", {
    range: [1, 100_000],
    unit: "messages",
  }),
};

const KeptTopics = inFull({
  topics: text("The topics that keep a stream: a name, or the start of names and `*`.", {
    form: /^(?=.{1,128}$)(\*|[A-Za-z0-9][A-Za-z0-9._:/-]*\*?)$/,
    must: "must be a topic or a pattern such as orders/*: 1-128 of A-Z a-z 0-9 . _ : / - with * at the end only",
    kind: "a topic or a pattern",
  }),
  ...retention,
});

const hashBits = (about: string) => required(about, { range: [0, 8], unit: "bits" });

const SpreadTags = inFull({
  tag: text("The tag of the list: `everyone`, or a tag as in `topic:news`.", {
    form: /^(everyone|[a-z][a-z0-9_-]{0,31}:[^\s*\p{C}]{1,128})$/u,
    must: "must be everyone or a tag: name:value, as in topic:news",
    kind: "a tag",
  }),
  hashBits: hashBits(
    "Connections that connect at `since` or later are listed on 2 to this power partition keys, which should be at least 2 × connects per second / 700.",
  ),
  hashBitsBefore: hashBits("The same for connections that connect before: 0 if the list was not spread."),
  since: text("When `hashBits` begins to hold: after the deployment that sets it is over.", {
    form: /^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/,
    must: "must be a time in UTC as in 2026-01-01T12:00:00Z",
    kind: "a time",
  }),
});

export const Settings = group({
  lanes: group({
    high: group({ concurrency: concurrency(8), backlogLimitMessages: unlimited(BACKLOG, backlogLimit) }),
    normal: lane(6, 100_000),
    low: lane(2, 20_000),
    "fanout-high": group({
      concurrency: concurrency(4),
      backlogLimitMessages: unlimited(JOB_BACKLOG, backlogLimit),
      backlogLimitSeconds: unlimited(SECONDS, secondsLimit),
    }),
    "fanout-normal": jobLane(4),
    "fanout-low": jobLane(4),
  }),
  retentionDays: days("How long a lane keeps a message (SQS: at most 14).", 14, 4),
  deadLetterRetentionDays: days("How long a dead letter can be redriven (SQS: at most 14).", 14, 14),
  receiptRetentionDays: days("How long a receipt can be read after its last change.", 365, 15),
  failureReceiptsOnly: flag(
    "Whether a message without an id of its producer's own leaves a receipt only if it fails: a write less for one that is delivered, whose receipt is then 404. One machine keeps them all.",
    false,
  ),
  fairQueues: flag(
    "Whether a noisy producer delays only its own messages (SQS fair queues; requests cost more).",
    true,
  ),
  detailedLog: flag(
    "Whether the log has a record for each step of a message and for each connection (600 bytes a message); otherwise it has only warnings and errors.",
    true,
  ),
  quotaRequestsPerSecond: whole(
    "Requests that API Gateway lets the account make (quota L-8A5B8E43; 2,500 in newer Regions).",
    { range: [10, 1_000_000], fallback: 10_000, unit: "requests a second" },
  ),
  quotaName: named("Routers share a quota if they share the table of quotas and this name.", {
    form: /^[A-Za-z0-9._-]{1,64}$/,
    must: "must be 1-64 of A-Z a-z 0-9 . _ -",
    kind: "1-64 of `A-Z a-z 0-9 . _ -`",
    fallback: "api-gateway",
  }),
  quotaFraction: fraction(
    "The part of that quota that sends may use; the rest is for requests, connects and frames.",
    0.8,
  ),
  recipientsPerRun: whole("Connections that one run sends to; a larger audience is split into jobs.", {
    range: [1, 100_000],
    fallback: 5_000,
    unit: "connections",
  }),
  deliveryRounds: whole(
    "Runs in which a connection may stay busy; then the message ends as `dead` with that connection pending.",
    {
      range: [1, 100],
      fallback: 5,
      unit: "runs",
    },
  ),
  streams: list(
    "Topics whose messages are numbered and kept; of several patterns the longest holds.",
    KeptTopics,
    {
      most: 20,
      key: "topics",
      characters: 1_000,
    },
  ),
  userStreams: off(inFull(retention)),
  spreadTags: list(
    "Lists that so many connections join at once that one partition key of DynamoDB cannot take it.",
    SpreadTags,
    { most: 10, key: "tag", characters: 1_000 },
  ),
  advanced: Advanced,
});

/** All settings, with every default filled in. */
export interface Settings extends v.InferOutput<typeof Settings> {}

/** Settings as a caller changes them: any part, at any depth. `undefined` means the default. */
export interface SettingsOverrides extends NonNullable<v.InferInput<typeof Settings>> {}

export type FunctionSettings = Settings["advanced"]["functions"]["consume"];
