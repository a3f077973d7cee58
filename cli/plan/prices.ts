/** What something costs: each tier with the units a month at which it ends; the last one has no end. */
export interface Price {
  /** In dollars, for `per` units. */
  readonly tiers: readonly { readonly usd: number; readonly upTo?: number }[];
  readonly per: number;
  readonly unit: string;
  readonly source: string;
}

/** When the sources were read. AWS's own price pages are drawn by script, so some stand on a second source. */
export const CHECKED = "2026-11-26";
export const REGION = "us-east-1";

const MILLION = 1_000_000;
const flat = (usd: number, per: number, unit: string, source: string): Price => ({
  tiers: [{ usd }],
  per,
  unit,
  source,
});

const CLOUDBURN = "cloudburn.io/blog/amazon-sqs-pricing (2026-03)";
const AGENT_TOOLKIT =
  "github.com/aws/agent-toolkit-for-aws, amazon-dynamodb/scripts/calculate_costs.py (2026-08)";
const LAMBDA = "aws.amazon.com/lambda/pricing, arm64";

/** On-demand prices without free allowances. */
export const PRICES = {
  httpRequests: {
    tiers: [{ usd: 1, upTo: 300 * MILLION }, { usd: 0.9 }],
    per: MILLION,
    unit: "HTTP API requests of 512 KB",
    source: "aws.amazon.com/api-gateway/pricing",
  },
  socketMessages: {
    tiers: [{ usd: 1, upTo: 1_000 * MILLION }, { usd: 0.8 }],
    per: MILLION,
    unit: "WebSocket messages of 32 KB, in and out",
    source: "aws.amazon.com/api-gateway/pricing",
  },
  connectionMinutes: flat(0.25, MILLION, "connection minutes", "aws.amazon.com/api-gateway/pricing"),
  queueRequests: flat(0.4, MILLION, "SQS requests of 64 KB", CLOUDBURN),
  fairRequests: flat(0.1, MILLION, "SQS requests with a group id, on top", CLOUDBURN),
  invocations: flat(0.2, MILLION, "Lambda invocations", LAMBDA),
  gigabyteSeconds: flat(0.0000133334, 1, "Lambda GB-seconds", LAMBDA),
  writeUnits: flat(0.625, MILLION, "DynamoDB write units of 1 KB", AGENT_TOOLKIT),
  readUnits: flat(0.125, MILLION, "DynamoDB read units of 4 KB", AGENT_TOOLKIT),
  storedGigabytes: flat(0.25, 1, "DynamoDB GB-months", AGENT_TOOLKIT),
  logGigabytes: flat(0.5, 1, "GB of logs", "aws.amazon.com/cloudwatch/pricing"),
  // Backups of what the table holds; restored rows cost more, once.
  recoveryGigabytes: flat(
    0.2,
    1,
    "GB-months of point-in-time recovery",
    "aws.amazon.com/dynamodb/pricing/on-demand",
  ),
  // Without the account's first 100 GB a month, as all prices here are without free allowances.
  outGigabytes: {
    tiers: [
      { usd: 0.09, upTo: 10_240 },
      { usd: 0.085, upTo: 51_200 },
      { usd: 0.07, upTo: 153_600 },
      { usd: 0.05 },
    ],
    per: 1,
    unit: "GB out to the internet",
    source: "leanopstech.com/blog/aws-data-transfer-pricing-2026, egresscost.com/aws (2026-04)",
  },
  secrets: flat(0.4, 1, "secrets", "aws.amazon.com/secrets-manager/pricing"),
  alarms: flat(0.1, 1, "alarms", "aws.amazon.com/cloudwatch/pricing"),
  dashboards: flat(3, 1, "dashboards", "aws.amazon.com/cloudwatch/pricing"),
  metrics: flat(0.3, 1, "custom metrics", "aws.amazon.com/cloudwatch/pricing"),
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;

/** Dollars for `units` in one month. */
export function costOf({ tiers, per }: Price, units: number): number {
  let usd = 0;
  let from = 0;
  for (const { usd: each, upTo = Number.POSITIVE_INFINITY } of tiers) {
    usd += (each * Math.max(0, Math.min(units, upTo) - from)) / per;
    from = upTo;
  }
  return usd;
}
