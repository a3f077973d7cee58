import { VISIBILITY_SECONDS } from "../protocol/limits.ts";
import { visibilitySeconds } from "./derived.ts";
import { CLOCK_MARGIN, LEAST_SENDS_PER_SECOND } from "./policy.ts";
import type { Settings } from "./schema.ts";

/** What two settings owe each other. `left` and `right` are names of settings, or calculations with them. */
export interface Rule {
  readonly left: string;
  readonly relation: "less than" | "at most";
  readonly right: string;
  readonly why: string;
  readonly values: (settings: Settings) => readonly [left: number, right: number];
}

const CONSUME = "advanced.functions.consume.timeoutSeconds";
const consumeSeconds = ({ advanced }: Settings) => advanced.functions.consume.timeoutSeconds;

/** Busy connections that fit in an item: 65 bytes each of at most 400 KB (DynamoDB quotas). */
const PENDING_CONNECTIONS = 6_000;

/** docs/settings.md lists exactly these. */
export const RULES: readonly Rule[] = [
  {
    left: "retentionDays",
    relation: "less than",
    right: "deadLetterRetentionDays",
    why: "a message that SQS itself moves to the dead-letter queue keeps its age",
    values: ({ retentionDays, deadLetterRetentionDays }) => [retentionDays, deadLetterRetentionDays],
  },
  {
    left: "deadLetterRetentionDays",
    relation: "less than",
    right: "receiptRetentionDays",
    why: "a redrive goes on where the receipt says that the message stopped",
    values: ({ deadLetterRetentionDays, receiptRetentionDays }) => [
      deadLetterRetentionDays,
      receiptRetentionDays,
    ],
  },
  {
    left: "10",
    relation: "at most",
    right: "quotaRequestsPerSecond × quotaFraction",
    why: "no container sends more slowly than that, however much it is throttled",
    values: ({ quotaRequestsPerSecond, quotaFraction }) => [
      LEAST_SENDS_PER_SECOND,
      quotaRequestsPerSecond * quotaFraction,
    ],
  },
  {
    left: "advanced.reserveMilliseconds",
    relation: "less than",
    right: `1000 × ${CONSUME}`,
    why: "a run sends until only the reserve is left",
    values: (settings) => [settings.advanced.reserveMilliseconds, 1_000 * consumeSeconds(settings)],
  },
  {
    left: "2 × advanced.sendTimeoutMilliseconds",
    relation: "at most",
    right: "advanced.reserveMilliseconds",
    why: "the reserve holds the last send and the call that writes its result",
    values: ({ advanced }) => [2 * advanced.sendTimeoutMilliseconds, advanced.reserveMilliseconds],
  },
  {
    left: "2 × advanced.pause.capMilliseconds",
    relation: "at most",
    right: "advanced.reserveMilliseconds",
    why: "a pause may begin just before the reserve does",
    values: ({ advanced }) => [2 * advanced.pause.capMilliseconds, advanced.reserveMilliseconds],
  },
  {
    left: "advanced.pause.baseMilliseconds",
    relation: "at most",
    right: "advanced.pause.capMilliseconds",
    why: "the first pause is the shortest",
    values: ({ advanced: { pause } }) => [pause.baseMilliseconds, pause.capMilliseconds],
  },
  {
    left: "advanced.backoff.baseSeconds",
    relation: "at most",
    right: "advanced.backoff.capSeconds",
    why: "the first delay is the shortest",
    values: ({ advanced: { backoff } }) => [backoff.baseSeconds, backoff.capSeconds],
  },
  {
    left: `advanced.backoff.capSeconds + ${CONSUME}`,
    relation: "at most",
    right: "43200",
    why: "SQS hides a message for at most 12 hours after its receive",
    values: (settings) => [
      settings.advanced.backoff.capSeconds + consumeSeconds(settings),
      VISIBILITY_SECONDS,
    ],
  },
  {
    left: `advanced.visibilityFactor × ${CONSUME}`,
    relation: "at most",
    right: "43200",
    why: "SQS hides a message for at most 12 hours after its receive",
    values: (settings) => [visibilitySeconds(settings), VISIBILITY_SECONDS],
  },
  {
    left: `${CONSUME} + 15`,
    relation: "at most",
    right: `advanced.visibilityFactor × ${CONSUME}`,
    why: "the lease of a run that died ends before its messages are visible, by clocks that differ by 5 s",
    values: (settings) => [
      consumeSeconds(settings) + (3 * CLOCK_MARGIN) / 1_000,
      visibilitySeconds(settings),
    ],
  },
  {
    left: "advanced.firstPageSize",
    relation: "at most",
    right: "advanced.pageSize",
    why: "the first page is the smaller one",
    values: ({ advanced: { firstPageSize, pageSize } }) => [firstPageSize, pageSize],
  },
  {
    left: "advanced.pendingLimit + advanced.pageSize",
    relation: "at most",
    right: "6000",
    why: "a receipt names its busy connections in one DynamoDB item of at most 400 KB",
    values: ({ advanced: { pendingLimit, pageSize } }) => [pendingLimit + pageSize, PENDING_CONNECTIONS],
  },
];

/** Returns a sentence for each rule that the settings break. It names both sides and their values. */
export const brokenRules = (settings: Settings): readonly string[] =>
  RULES.flatMap(({ left, relation, right, why, values }) => {
    const [a, b] = values(settings);
    const holds = relation === "at most" ? a <= b : a < b;
    return holds ? [] : [`${side(left, a)} must be ${relation} ${side(right, b)}: ${why}`];
  });

/** The value follows, unless the side is a number itself. */
const side = (text: string, value: number) =>
  /^\d+$/.test(text) ? text : `${text.replace(NAME, "settings.$&")} (${value})`;

/** The name of a setting in a calculation. */
const NAME = /[a-z][\w.]*/gi;
