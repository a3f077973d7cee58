import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ASSUMPTIONS, type Load, parseTraffic, type Traffic } from "../../../cli/plan/load.ts";
import { type CapacityPlan, plan } from "../../../cli/plan/plan.ts";
import { costOf, PRICES, type Price } from "../../../cli/plan/prices.ts";
import { QUOTAS, STACK } from "../../../cli/plan/quotas.ts";
import type { Planning } from "../../../cli/plan/stream.ts";
import { rangesFor } from "../../../shared/pipeline/consume/split.ts";
import { PRIORITIES } from "../../../shared/protocol/lane.ts";
import { WHOLE } from "../../../shared/receipts/hash-range.ts";
import { deliveryPolicy } from "../../../shared/settings/policy.ts";
import { DEFAULTS } from "../../../shared/settings/settings.ts";

const aLoad = (load: Partial<Load> = {}): Load => ({
  traffic: [{ rate: 1, audience: 1, priority: "normal" }],
  connections: 1_000,
  sessionSeconds: 7_200,
  topics: 1,
  pingSeconds: 0,
  pingsAlways: false,
  tokenSeconds: 0,
  bytes: 1_000,
  perPost: 1,
  perRun: 1,
  peak: 3,
  ...load,
});

const planFor = (load: Partial<Load> = {}, more: Partial<Planning> = {}): CapacityPlan =>
  plan({
    load: aLoad(load),
    settings: DEFAULTS,
    quotas: QUOTAS,
    stack: STACK,
    assumed: ASSUMPTIONS,
    outageSeconds: 600,
    ...more,
  });

const usd = ({ monthly }: CapacityPlan, part: string) => monthly.find((line) => line.part === part)?.usd ?? 0;

describe("a price", () => {
  const tiered: Price = { tiers: [{ usd: 1, upTo: 300 }, { usd: 0.5 }], per: 100, unit: "", source: "" };

  test.each([
    { units: 0, costs: 0 },
    { units: 100, costs: 1 },
    { units: 300, costs: 3 },
    { units: 301, costs: 3.005 },
    { units: 500, costs: 4 },
  ])("of $units units is $costs", ({ units, costs }) => {
    expect(costOf(tiered, units)).toBeCloseTo(costs, 10);
  });

  test("is the one that the page about costs names", () => {
    const page = readFileSync("docs/deploy.md", "utf8");
    const row = (name: string) => Number(new RegExp(`\\| ${name}[^|]*\\| \\$([0-9.]+) \\|`).exec(page)?.[1]);
    const named = {
      httpRequests: row("HTTP API requests"),
      socketMessages: row("WebSocket messages"),
      connectionMinutes: row("WebSocket connection minutes"),
      queueRequests: row("SQS requests"),
      fairRequests: row("SQS fair queues"),
      invocations: row("Lambda requests"),
      gigabyteSeconds: row("Lambda GB-second"),
      writeUnits: row("DynamoDB write units"),
      readUnits: row("DynamoDB read units"),
      storedGigabytes: row("table storage"),
      logGigabytes: row("logs"),
      recoveryGigabytes: row("point-in-time recovery"),
      outGigabytes: row("data out"),
      secrets: row("secret"),
      alarms: row("alarm"),
      dashboards: row("dashboard"),
      metrics: row("custom metric"),
    };
    for (const [name, price] of Object.entries(named))
      expect([name, PRICES[name as keyof typeof named].tiers[0].usd]).toEqual([
        name,
        expect.closeTo(price, 6),
      ]);
  });
});

describe("a million messages a month", () => {
  const rate = 1_000_000 / 2_592_000;
  const million = (audience: number, load: Partial<Load> = {}) =>
    planFor({ ...load, traffic: [{ rate, audience, priority: "normal" }], connections: 0 });

  test.each([
    { shape: "one by one", load: {}, http: 1, queue: 1.2, fair: 0.1, receipts: 1.25, frames: 1 },
    {
      shape: "in tens",
      load: { perPost: 10, perRun: 10 },
      http: 0.1,
      queue: 0.12,
      fair: 0.01,
      receipts: 1.25,
      frames: 1,
    },
    { shape: "of 40 KB", load: { bytes: 40_000 }, http: 1, queue: 1.2, fair: 0.1, receipts: 1.25, frames: 2 },
    { shape: "of 100 KB", load: { bytes: 100_000 }, http: 1, queue: 2, fair: 0.1, receipts: 1.25, frames: 4 },
  ])("costs what its calls cost, $shape", ({ load, http, queue, fair, receipts, frames }) => {
    const found = million(1, load);
    expect(usd(found, "POST /v1/messages")).toBeCloseTo(http, 6);
    expect(usd(found, "lanes")).toBeCloseTo(queue, 6);
    expect(usd(found, "fair queues")).toBeCloseTo(fair, 6);
    expect(usd(found, "receipts")).toBeCloseTo(receipts, 6);
    expect(usd(found, "frames")).toBeCloseTo(frames, 6);
  });

  test("to a topic of a thousand reads 30 KB of its list and posts a thousand frames", () => {
    const found = million(1_000);
    expect(usd(found, "tag index")).toBeCloseTo(0.125 * (3 + 27 + 1), 6);
    expect(usd(found, "frames")).toBeCloseTo(1_000, 6);
  });

  test("to 100,000 is 40 jobs, each with a claim and an ending of its own", () => {
    const [{ work } = {}] = million(100_000).streams;
    expect(work).toMatchObject({ jobs: 40, puts: 41, updates: 42, sends: 5, frames: 100_000 });
  });
});

test("10,000 connections that stay cost their minutes, and a connect every two hours", () => {
  const found = planFor({ traffic: [], connections: 10_000 });
  expect(usd(found, "connections")).toBeCloseTo(108, 6);
  const connects = [
    "connects, runs",
    "connects, time",
    "connects, tables",
    "connects, reads",
    "subscribe and token frames",
  ];
  const each = connects.reduce((sum, part) => sum + usd(found, part), 0) / 3.6;
  expect(each).toBeCloseTo(0.6 + 0.15 + 10 * 0.625 + 0.125 + 2, 2);
});

test.each<{ why: string; traffic: string; connections: number; first: string }>([
  {
    why: "many small ones",
    traffic: "400:1",
    connections: 1_000,
    first: "runs at a time: lanes.normal.concurrency",
  },
  { why: "some for many", traffic: "1:4000", connections: 5_000, first: "sends/s: quotaFraction" },
  { why: "clients that come and go", traffic: "0.1:1", connections: 2_000_000, first: "new connections/s" },
])("the first limit that $why meet is $first", ({ traffic, connections, first }) => {
  const found = planFor({ traffic: parseTraffic(traffic), connections });
  const kinds = first.startsWith("new") ? ["account"] : ["account", "setting"];
  expect(found.limits.find(({ kind }) => kinds.includes(kind))?.name).toBe(first);
});

describe("pings", () => {
  const pingsOf = (load: Partial<Load>) => planFor({ traffic: [], ...load }).pingsPerSecond;

  test.each([
    { why: "nobody pings", load: { pingSeconds: 0 }, each: 0 },
    {
      why: "a session is shorter than the silence",
      load: { pingSeconds: 540, sessionSeconds: 500 },
      each: 0,
    },
    { why: "a session ends with the silence", load: { pingSeconds: 540, sessionSeconds: 1_080 }, each: 1 },
    { why: "nothing is heard for two hours", load: { pingSeconds: 540 }, each: 13 },
    {
      why: "clients ping whatever they hear",
      load: { pingSeconds: 60, pingsAlways: true, traffic: parseTraffic("1000:1") },
      each: 119,
    },
    {
      why: "each hears a frame a second",
      load: { pingSeconds: 60, traffic: parseTraffic("1000:1") },
      each: 0,
    },
  ])("are $each a session where $why", ({ load, each }) => {
    const { connections, sessionSeconds } = aLoad(load);
    expect(pingsOf(load)).toBeCloseTo((each * connections) / sessionSeconds, 9);
  });

  test("count against the limits of requests", () => {
    const usedOf = (found: CapacityPlan, name: string) =>
      found.limits.find((limit) => limit.name.startsWith(name))?.used ?? 0;
    const load = { traffic: [], connections: 10_000, peak: 1 };
    const [silent, pinging] = [planFor(load), planFor({ ...load, pingSeconds: 25, pingsAlways: true })];
    for (const name of ["API Gateway requests/s", "frames and connects/s"])
      expect(usedOf(pinging, name) - usedOf(silent, name)).toBeCloseTo((287 * 10_000) / 7_200, 6);
  });
});

test("a token of ten minutes is refreshed eleven times in two hours, and each refresh writes every list", () => {
  const load = { traffic: [], connections: 7_200, topics: 10 };
  const writes = (tokenSeconds: number) => planFor({ ...load, tokenSeconds }).tables.average.writes;
  expect(writes(600) - writes(0)).toBeCloseTo(11 * (2 + 2 + 10), 9);
});

describe("after a cut of a million connections", () => {
  const cut = { traffic: [], connections: 1_000_000, topics: 1, peak: 1 };
  const quotas = { ...QUOTAS, connects: 10_000 };
  const roomy = { ...STACK, socketRate: 40_000 };

  test.each([
    {
      why: "the stage's throttle",
      more: { stack: { ...STACK, listKeys: 64 } },
      first: "frames and connects/s",
      seconds: 2_000,
    },
    {
      why: "the one key of everyone's list",
      more: { stack: roomy },
      first: "DynamoDB writes/s to a list that all join",
      seconds: 2_000,
    },
    {
      why: "a table that was never warm",
      more: { stack: { ...roomy, listKeys: 64 } },
      first: "DynamoDB writes/s to the table subscriptions",
      seconds: 1_500,
    },
    {
      why: "the account's requests",
      more: { stack: { ...roomy, listKeys: 64 }, quotas: { ...quotas, warmWrites: 40_000 } },
      first: "API Gateway requests/s",
      seconds: 200,
    },
    {
      why: "new connections",
      more: {
        stack: { ...roomy, listKeys: 64 },
        quotas: { ...quotas, connects: 500, warmWrites: 40_000 },
      },
      first: "new connections/s",
      seconds: 2_000,
    },
    {
      why: "the functions",
      more: {
        stack: { ...roomy, listKeys: 64 },
        quotas: { ...quotas, runs: 128, requests: 1e6, warmWrites: 40_000 },
      },
      first: "Lambda runs at a time",
      seconds: 450,
    },
  ])("$why decides when all are back", ({ more, first, seconds }) => {
    const found = planFor(cut, { quotas, ...more });
    expect(found.reconnectLimits[0]?.name).toContain(first);
    expect(found.reconnectSeconds).toBeCloseTo(seconds, 6);
  });

  test("a table that has taken more takes twice that", () => {
    const often = planFor({ ...cut, sessionSeconds: 600, peak: 3 }, { quotas });
    const table = often.reconnectLimits.find(({ name }) => name.endsWith("subscriptions"));
    expect(table?.seconds).toBeCloseTo(6_000_000 / 40_000, 6);
  });
});

test("a message to a million is split twice: a hundred jobs, and four of each", () => {
  const [{ work } = {}] = planFor({
    traffic: [{ rate: 1, audience: 1_000_000, priority: "low" }],
    connections: 1_000_000,
  }).streams;
  expect(work).toMatchObject({
    jobs: 500,
    puts: 501,
    updates: 2 + 100 * 2 + 400,
    // One POST, ten calls for a hundred jobs, and one for the four of each.
    sends: 1 + 10 + 100,
    frames: 1_000_000,
  });
  const policy = deliveryPolicy(DEFAULTS);
  const jobs = rangesFor(1_000_000, WHOLE, policy);
  const again = jobs.flatMap((range) => rangesFor(1_000_000 / jobs.length, range, policy));
  expect(jobs.length + again.length).toBe(500);
});

test("a Region with a quarter of the quota has a quarter of the room", () => {
  const shareOf = (requests: number) => {
    const settings = { ...DEFAULTS, quotaRequestsPerSecond: requests };
    const found = planFor({}, { quotas: { ...QUOTAS, requests }, settings });
    return found.limits.find(({ name }) => name === "API Gateway requests/s")?.share ?? 0;
  };
  expect(shareOf(2_500)).toBeCloseTo(4 * shareOf(10_000), 12);
});

describe("more", () => {
  const traffic = fc.record({
    rate: fc.double({ min: 0.001, max: 2_000, noNaN: true }),
    audience: fc.integer({ min: 0, max: 2_000_000 }),
    priority: fc.constantFrom(...PRIORITIES),
  });
  const load = fc.record({
    traffic: fc.array(traffic, { minLength: 1, maxLength: 3 }),
    connections: fc.integer({ min: 1, max: 5_000_000 }),
    bytes: fc.integer({ min: 1, max: 131_072 }),
    topics: fc.integer({ min: 0, max: 200 }),
    // A frame into the silence spares a ping, which costs more, so that more messages may cost less.
    pingSeconds: fc.integer({ min: 0, max: 600 }),
    pingsAlways: fc.constant(true),
    tokenSeconds: fc.integer({ min: 0, max: 7_200 }),
    perPost: fc.integer({ min: 1, max: 100 }),
    perRun: fc.integer({ min: 1, max: 10 }),
  });
  const morph =
    (change: (first: Traffic, by: number) => Partial<Traffic>) => (one: Partial<Load>, by: number) => {
      const [first, ...rest] = aLoad(one).traffic;
      return first ? { ...one, traffic: [{ ...first, ...change(first, by) }, ...rest] } : one;
    };
  const times = fc.double({ min: 1, max: 50, noNaN: true });
  const shareOf = (found: CapacityPlan) =>
    Object.fromEntries(found.limits.map(({ name, share }) => [name, share]));
  const atMost = (a: number, b: number) => expect(a).toBeLessThanOrEqual(b * (1 + 1e-9) + 1e-9);

  // A larger audience may be split, and then moves from its own lane to the fanout lane and reads in other portions.
  const moved = /lanes|lane$|list$|Lambda/;
  const drains = ({ drain }: CapacityPlan) => drain.seconds ?? Number.POSITIVE_INFINITY;

  test.each<{
    of: string;
    change: (one: Partial<Load>, by: number) => Partial<Load>;
    moves?: true;
  }>([
    {
      of: "audience",
      change: morph(({ audience }, by) => ({ audience: Math.ceil(audience * by) })),
      moves: true,
    },
    { of: "messages", change: morph(({ rate }, by) => ({ rate: rate * by })) },
    {
      of: "connections",
      change: (one, by) => ({ ...one, connections: Math.ceil((one.connections ?? 1) * by) }),
    },
    { of: "bytes", change: (one, by) => ({ ...one, bytes: Math.ceil((one.bytes ?? 1) * by) }) },
    { of: "topics", change: (one, by) => ({ ...one, topics: Math.ceil((one.topics ?? 1) * by) }) },
  ])("$of never costs less, needs less, or drains sooner", ({ change, moves }) => {
    fc.assert(
      fc.property(load, times, (one, by) => {
        const [less, more] = [planFor(one), planFor(change(one, by))];
        atMost(less.monthlyTotal, more.monthlyTotal);
        const shares = shareOf(more);
        for (const [name, share] of Object.entries(shareOf(less))) {
          if (!moves || !moved.test(name)) atMost(share, shares[name] ?? 0);
        }
        if (!moves) atMost(drains(less), drains(more));
      }),
      { numRuns: 300 },
    );
  });

  test("of a peak costs nothing, and fills every limit in proportion", () => {
    fc.assert(
      fc.property(load, fc.integer({ min: 2, max: 20 }), (one, peak) => {
        const [flat, peaked] = [planFor({ ...one, peak: 1 }), planFor({ ...one, peak })];
        expect(peaked.monthlyTotal).toBeCloseTo(flat.monthlyTotal, 6);
        const shares = shareOf(peaked);
        for (const [name, share] of Object.entries(shareOf(flat)))
          if (!name.startsWith("Lambda")) expect(shares[name]).toBeCloseTo(share * peak, 6);
      }),
    );
  });

  test("than the limits hold never drains, and less always does", () => {
    fc.assert(
      fc.property(load, (one) => {
        const found = planFor({ ...one, peak: 1 });
        const settings = found.limits.filter(({ name }) => /lanes\.|quotaFraction/.test(name));
        expect(found.drain.seconds === undefined).toBe(settings.some(({ share }) => share >= 1));
      }),
    );
  });
});
