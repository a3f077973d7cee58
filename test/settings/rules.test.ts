import { expect, test } from "vitest";
import { RULES } from "../../shared/settings/rules.ts";
import type { SettingsOverrides } from "../../shared/settings/schema.ts";
import { settings } from "../../shared/settings/settings.ts";

const consume = (timeoutSeconds: number) => ({ consume: { timeoutSeconds } });

/** The last settings that keep a rule, the first that break it, and what these are refused with. */
const CASES: readonly { rule: string; kept: SettingsOverrides; broken: SettingsOverrides; says: string }[] = [
  {
    rule: "a dead letter is kept for longer than its lane keeps a message",
    kept: { retentionDays: 6, deadLetterRetentionDays: 7 },
    broken: { retentionDays: 7, deadLetterRetentionDays: 7 },
    says: "settings.retentionDays (7) must be less than settings.deadLetterRetentionDays (7): ",
  },
  {
    rule: "a receipt is kept for longer than a dead letter",
    kept: { deadLetterRetentionDays: 9, receiptRetentionDays: 10 },
    broken: { deadLetterRetentionDays: 10, receiptRetentionDays: 10 },
    says: "settings.deadLetterRetentionDays (10) must be less than settings.receiptRetentionDays (10): ",
  },
  {
    rule: "sends may use at least ten requests a second",
    kept: { quotaRequestsPerSecond: 40, quotaFraction: 0.25 },
    broken: { quotaRequestsPerSecond: 36, quotaFraction: 0.25 },
    says: "10 must be at most settings.quotaRequestsPerSecond × settings.quotaFraction (9): ",
  },
  {
    rule: "the reserve is less than the time of a run",
    kept: { advanced: { reserveMilliseconds: 9_999, functions: consume(10) } },
    broken: { advanced: { reserveMilliseconds: 10_000, functions: consume(10) } },
    says:
      "settings.advanced.reserveMilliseconds (10000) must be less than " +
      "1000 × settings.advanced.functions.consume.timeoutSeconds (10000): ",
  },
  {
    rule: "a send times out within half of the reserve",
    kept: { advanced: { sendTimeoutMilliseconds: 5_000 } },
    broken: { advanced: { sendTimeoutMilliseconds: 5_001 } },
    says:
      "2 × settings.advanced.sendTimeoutMilliseconds (10002) must be at most " +
      "settings.advanced.reserveMilliseconds (10000): ",
  },
  {
    rule: "a pause ends within half of the reserve",
    kept: { advanced: { pause: { capMilliseconds: 5_000 } } },
    broken: { advanced: { pause: { capMilliseconds: 5_001 } } },
    says:
      "2 × settings.advanced.pause.capMilliseconds (10002) must be at most " +
      "settings.advanced.reserveMilliseconds (10000): ",
  },
  {
    rule: "the first pause is no longer than the longest",
    kept: { advanced: { pause: { baseMilliseconds: 300, capMilliseconds: 300 } } },
    broken: { advanced: { pause: { baseMilliseconds: 301, capMilliseconds: 300 } } },
    says:
      "settings.advanced.pause.baseMilliseconds (301) must be at most " +
      "settings.advanced.pause.capMilliseconds (300): ",
  },
  {
    rule: "the first back-off is no longer than the longest",
    kept: { advanced: { backoff: { baseSeconds: 5, capSeconds: 5 } } },
    broken: { advanced: { backoff: { baseSeconds: 6, capSeconds: 5 } } },
    says: "settings.advanced.backoff.baseSeconds (6) must be at most settings.advanced.backoff.capSeconds (5): ",
  },
  {
    rule: "a message is received again within the 12 hours that SQS hides it",
    kept: { advanced: { backoff: { capSeconds: 43_140 } } },
    broken: { advanced: { backoff: { capSeconds: 43_141 } } },
    says:
      "settings.advanced.backoff.capSeconds + settings.advanced.functions.consume.timeoutSeconds (43201) " +
      "must be at most 43200: ",
  },
  {
    rule: "the visibility timeout is at most 12 hours",
    kept: { advanced: { visibilityFactor: 48, functions: consume(900) } },
    broken: { advanced: { visibilityFactor: 49, functions: consume(900) } },
    says:
      "settings.advanced.visibilityFactor × settings.advanced.functions.consume.timeoutSeconds (44100) " +
      "must be at most 43200: ",
  },
  {
    rule: "a run that dies is over 15 seconds before its messages come back",
    kept: { advanced: { visibilityFactor: 2, functions: consume(15) } },
    broken: { advanced: { visibilityFactor: 2, functions: consume(14) } },
    says:
      "settings.advanced.functions.consume.timeoutSeconds + 15 (29) must be at most " +
      "settings.advanced.visibilityFactor × settings.advanced.functions.consume.timeoutSeconds (28): ",
  },
  {
    rule: "the first page is no larger than the others",
    kept: { advanced: { firstPageSize: 200, pageSize: 200 } },
    broken: { advanced: { firstPageSize: 201, pageSize: 200 } },
    says: "settings.advanced.firstPageSize (201) must be at most settings.advanced.pageSize (200): ",
  },
  {
    rule: "the busy connections of a run fit in a receipt",
    kept: { advanced: { pendingLimit: 3_000, pageSize: 3_000 } },
    broken: { advanced: { pendingLimit: 3_000, pageSize: 3_001 } },
    says: "settings.advanced.pendingLimit + settings.advanced.pageSize (6001) must be at most 6000: ",
  },
];

test("each rule has its case", () => {
  expect(CASES).toHaveLength(RULES.length);
});

test.each(CASES)("$rule", ({ kept, broken, says }) => {
  expect(() => settings(kept)).not.toThrow();
  expect(() => settings(broken)).toThrow(
    expect.objectContaining({ code: "SETTINGS_INVALID", message: expect.stringContaining(says) }),
  );
  // One fault is one sentence: no other rule is broken by it.
  expect(() => settings(broken)).not.toThrow("; ");
});

test("all broken rules are named at once", () => {
  const broken = { retentionDays: 14, advanced: { firstPageSize: 5_000 } };
  expect(() => settings(broken)).toThrow(/settings\.retentionDays.*; settings\.advanced\.firstPageSize/);
});

test("the busy connections of a receipt fit in a DynamoDB item with the longest ids that API Gateway has made", () => {
  const recipient = { connectionId: "L0SM9cOFvHcCIhw=", connectedAt: Date.now() };
  const names = { pending: Array(6_000).fill(recipient), failed: Array(100).fill(recipient.connectionId) };
  // DynamoDB quotas: an item, with the names of its attributes, has at most 400 KB.
  expect(JSON.stringify(names).length + 1_000).toBeLessThan(400 * 1_024);
});
