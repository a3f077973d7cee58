import { expect, test } from "vitest";
import { parseTraffic } from "../../../cli/plan/load.ts";
import type { CapacityPlan } from "../../../cli/plan/plan.ts";
import { tagwire } from "../../support/command.ts";

test.each([
  { text: "50:1", traffic: { rate: 50, audience: 1, priority: "normal" } },
  { text: "0.5:10000:low", traffic: { rate: 0.5, audience: 10_000, priority: "low" } },
])("$text is traffic", ({ text, traffic }) => {
  expect(parseTraffic(text)).toEqual([traffic]);
});

test.each(["", "50", "50:", ":1", "-1:1", "1:1.5", "1e3:1", "1:1:urgent"])("'%s' is no traffic", (text) => {
  expect(() => parseTraffic(text)).toThrow("MESSAGES_PER_SECOND:CONNECTIONS");
});

test("what hardly ever happens is 0", async () => {
  const { out } = await tagwire(["plan", "--connections", "300", "--traffic", "0.05:300"]);
  expect(out).toMatch(/^pings +0 a second$/m);
});

test("a plan says what it costs, whether it fits, and which limit comes first", async () => {
  const argv = ["plan", "--connections", "20000", "--traffic", "20:1", "--traffic", "0.01:20000:high"];
  const { code, out, err } = await tagwire(argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^20,000 connections, \$[\d,]+\.\d\d a month$/m);
  expect(out).toMatch(/^fits; at [\d.]+ times this load it meets its first limit, /m);
  expect(out).toMatch(/^0\.01 +20,000 +8 /m);
  expect(out).toMatch(/^fanout-high +[\d.]+ +4 +2$/m);
  expect(out).toMatch(/^backlog of 10 min +drains in /m);
  expect(out).toMatch(/^API Gateway requests\/s +account +[\d,.]+ +10,000 +[\d.]+ %$/m);
  expect(out).toMatch(/^together +\$[\d,]+\.\d\d$/m);
});

test.each([
  {
    why: "on average",
    traffic: "2:10000",
    says: "does not fit: even on average it needs 250 % of sends/s: quotaFraction",
  },
  {
    why: "at its peak",
    traffic: "0.5:10000",
    says: "messages wait at its peak, which needs 188 % of sends/s: quotaFraction",
  },
])("a load that does not fit $why is told so", async ({ traffic, says }) => {
  const { out } = await tagwire(["plan", "--connections", "10000", "--traffic", traffic]);
  expect(out).toContain(says);
});

test("--json prints the whole plan, and its parts add up", async () => {
  const { out } = await tagwire(["plan", "--json", "--settings", '{"lanes":{"normal":{"concurrency":50}}}']);
  const found = JSON.parse(out) as CapacityPlan;
  expect(found.lanes.normal.allowed).toBe(50);
  expect(found.monthly.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(found.monthlyTotal, 8);
});

test.each([
  { by: "an option", argv: ["--failure-receipts-only"] },
  { by: "the settings", argv: ["--settings", '{"failureReceiptsOnly":true}'] },
])("receipts that keep failures only, as $by says, are a write less for each message", async ({ argv }) => {
  const writesOf = async (...given: string[]) => {
    const { out } = await tagwire(["plan", "--json", "--traffic", "10:1", ...given]);
    const { monthly } = JSON.parse(out) as CapacityPlan;
    return monthly.find(({ part }) => part === "receipts")?.units ?? 0;
  };
  expect(await writesOf()).toBe(10 * 2_592_000 * 2);
  expect(await writesOf(...argv)).toBe(10 * 2_592_000);
});

test("a log without the steps of messages is not planned with them", async () => {
  const logOf = async (detailedLog: boolean) => {
    const set = JSON.stringify({ detailedLog });
    const { out } = await tagwire(["plan", "--json", "--traffic", "10:1", "--settings", set]);
    const { monthly } = JSON.parse(out) as CapacityPlan;
    return monthly.find(({ part }) => part === "logs of POSTs and deliveries")?.units ?? 0;
  };
  const [all, less] = [await logOf(true), await logOf(false)];
  // Two lines of some hundred bytes each, of 25.92 million messages, in GB.
  expect(all - less).toBeGreaterThan(2 * 0.2 * 25.92);
  expect(less).toBeGreaterThan(0);
});

test("a list that the settings spread over 32 keys holds up the return of all a thirty-second of the time", async () => {
  const secondsOf = async (hashBits: number, hashBitsBefore: number) => {
    const spread = [{ tag: "everyone", hashBits, hashBitsBefore, since: "2026-01-01T12:00:00Z" }];
    const set = JSON.stringify({ spreadTags: spread });
    const { out } = await tagwire(["plan", "--json", "--connections", "100000", "--settings", set]);
    const { reconnectLimits } = JSON.parse(out) as CapacityPlan;
    return reconnectLimits.find(({ name }) => name.includes("a list that all join"))?.seconds ?? 0;
  };
  expect(await secondsOf(0, 5)).toBe(200);
  expect(await secondsOf(5, 0)).toBe(200 / 32);
});

test("what it costs that runs share the quota is told", async () => {
  const { out } = await tagwire(["plan", "--traffic", "5:300"]);
  expect(out).toMatch(/^shares of the quota +25,920,000 +\$16.20$/m);
});

test.each([
  {
    why: "an audience is larger than all",
    argv: ["--traffic", "1:2000"],
    says: "as many --connections, got 1000",
  },
  {
    why: "the settings break a rule",
    argv: ["--settings", '{"recipientsPerRun":0}'],
    says: "SETTINGS_INVALID: settings.recipientsPerRun",
  },
  { why: "the settings are no JSON", argv: ["--settings", "{"], says: "must be a JSON object" },
  { why: "a session is longer than API Gateway allows", argv: ["--session", "7201"], says: "1 to 7200" },
])("a plan is refused when $why", async ({ argv, says }) => {
  const { code, out, err } = await tagwire(["plan", ...argv]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(says);
});

test("the token to call with is no part of a plan; how long a token holds is", async () => {
  const loadOf = async (...argv: readonly string[]) => {
    const { out } = await tagwire([...argv, "--json"]);
    return (JSON.parse(out) as { readonly load: object }).load;
  };
  const without = await loadOf("plan");
  expect(without).toMatchObject({ tokenSeconds: 0 });
  expect(await loadOf("--token", "3600", "plan")).toEqual(without);
  expect(await loadOf("plan", "--token-seconds", "3600")).toMatchObject({ tokenSeconds: 3_600 });
});
