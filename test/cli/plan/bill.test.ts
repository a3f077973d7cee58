import { expect, test } from "vitest";
import { ASSUMPTIONS } from "../../../cli/plan/load.ts";
import { plan } from "../../../cli/plan/plan.ts";
import { QUOTAS, STACK } from "../../../cli/plan/quotas.ts";
import { settings } from "../../../shared/settings/settings.ts";
import { type Bill, dollarsOf, type Scenario, walk } from "./support/walk.ts";

/* The plan against a count that shares no code with it, for seven loads. The settings are those that the count knows. */
const SETTINGS = settings({
  recipientsPerRun: 5_000,
  receiptRetentionDays: 15,
  advanced: { sendsInFlight: 50, splitLimit: 100, firstPageSize: 100, pageSize: 1_000 },
});

const SCENARIOS: readonly (Scenario & { readonly name: string })[] = [
  {
    name: "order updates: 5 messages a second, each to one of 2,000 customers who stay for half an hour and ping in silence",
    ...{ connections: 2_000, sessionSeconds: 1_800, topics: 1, tokenSeconds: 0 },
    ping: { after: 540, always: false },
    ...{ bytes: 1_000, perPost: 1, perRun: 1 },
    traffic: [{ rate: 5, audience: 1 }],
  },
  {
    name: "a ticker: a frame each 10 s to 4,000 of 20,000 connections with three topics that ping every minute",
    ...{ connections: 20_000, sessionSeconds: 7_200, topics: 3, tokenSeconds: 0 },
    ping: { after: 60, always: true },
    ...{ bytes: 500, perPost: 1, perRun: 1 },
    traffic: [{ rate: 0.1, audience: 4_000 }],
  },
  {
    name: "a mailing: a message each hour to a million connections, whose jobs are split again",
    ...{ connections: 1_000_000, sessionSeconds: 7_200, topics: 0, tokenSeconds: 0 },
    ping: { after: 540, always: false },
    ...{ bytes: 2_000, perPost: 1, perRun: 1 },
    traffic: [{ rate: 1 / 3_600, audience: 1_000_000 }],
  },
  {
    name: "telemetry: 200 messages a second in tens to one of 500 devices each, which ping every 25 s",
    ...{ connections: 500, sessionSeconds: 7_200, topics: 1, tokenSeconds: 0 },
    ping: { after: 25, always: true },
    ...{ bytes: 200, perPost: 10, perRun: 10 },
    traffic: [{ rate: 200, audience: 1 }],
  },
  {
    name: "documents: 40 KB in fours to 300 of 3,000 connections with 120 topics and tokens of two minutes",
    ...{ connections: 3_000, sessionSeconds: 600, topics: 120, tokenSeconds: 120 },
    ping: { after: 540, always: false },
    ...{ bytes: 40_000, perPost: 4, perRun: 1 },
    traffic: [
      { rate: 0.5, audience: 300 },
      { rate: 4, audience: 1 },
    ],
  },
  {
    name: "alerts: to one each, to groups of 300, and to all 60,000 each minute, whose runs share the quota",
    ...{ connections: 60_000, sessionSeconds: 7_200, topics: 1, tokenSeconds: 0 },
    ping: { after: 540, always: false },
    ...{ bytes: 500, perPost: 1, perRun: 1 },
    traffic: [
      { rate: 20, audience: 1 },
      { rate: 2, audience: 300 },
      { rate: 1 / 60, audience: 60_000 },
    ],
  },
  {
    name: "signals: 50 messages a second to one of 1,000 connections each, whose receipts keep failures only",
    ...{ connections: 1_000, sessionSeconds: 7_200, topics: 1, tokenSeconds: 0 },
    ping: { after: 540, always: false },
    ...{ bytes: 500, perPost: 1, perRun: 1, failuresOnly: true },
    traffic: [{ rate: 50, audience: 1 }],
  },
];

/** The prices of the plan by the items of the count. */
const PRICED: Readonly<Record<string, keyof Bill>> = {
  httpRequests: "http",
  socketMessages: "frame",
  connectionMinutes: "minute",
  queueRequests: "sqs",
  fairRequests: "fair",
  invocations: "run",
  gigabyteSeconds: "gigabyteSecond",
  writeUnits: "write",
  readUnits: "read",
  storedGigabytes: "storedGigabyte",
  recoveryGigabytes: "recoveryGigabyte",
  logGigabytes: "logGigabyte",
  outGigabytes: "outGigabyte",
};
/** Parts of the plan that have an item of their own in the count. */
const PARTS: Readonly<Record<string, keyof Bill>> = {
  "shares of the quota": "beat",
  "shares of the quota, reads": "look",
};
/** Units a month from which such a part is compared: fewer are a matter of luck. */
const SEEN = 10_000;
/** A secret, 31 alarms on 45 metrics, a dashboard and 30 metrics. */
const FIXED = 0.4 + 4.5 + 3 + 9;

/** Numbers of [0, 1) that are the same in each run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test.each(SCENARIOS)("the plan agrees with an independent count within 5 % for $name", (scenario) => {
  const { ping, traffic, failuresOnly = false, ...load } = scenario;
  const found = plan({
    load: {
      ...load,
      traffic: traffic.map((each) => ({ ...each, priority: "normal" as const })),
      ...{ pingSeconds: ping.after, pingsAlways: ping.always, peak: 1 },
    },
    settings: { ...SETTINGS, failureReceiptsOnly: failuresOnly },
    ...{ quotas: QUOTAS, stack: STACK, assumed: ASSUMPTIONS, outageSeconds: 600 },
  });
  const bill = walk(scenario, seeded(1));
  const counted = dollarsOf(bill);
  const total = Object.values(counted).reduce((sum, usd) => sum + usd, FIXED);
  const off = (planned: number, count: number) => Math.abs(planned - count) / count;
  expect(off(found.monthlyTotal, total)).toBeLessThan(0.05);
  for (const [part, item] of Object.entries(PARTS)) {
    const planned = found.monthly.find((line) => line.part === part)?.units ?? 0;
    if (bill[item] < SEEN) expect([item, planned < 2 * SEEN]).toEqual([item, true]);
    else expect([item, planned / bill[item]]).toEqual([item, expect.closeTo(1, 1)]);
  }
  // Nor do two faults hide behind each other: what is a fiftieth of the bill agrees by itself.
  for (const [price, item] of Object.entries(PRICED)) {
    if (counted[item] < total / 50) continue;
    const planned = found.monthly
      .filter((line) => line.price === price && !(line.part in PARTS))
      .reduce((sum, { usd }) => sum + usd, 0);
    expect([item, off(planned, counted[item])]).toEqual([
      item,
      expect.toSatisfy((share: number) => share < 0.05),
    ]);
  }
});
