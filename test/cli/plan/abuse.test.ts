import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { visitOf } from "../../../cli/plan/connection.ts";
import { ASSUMPTIONS } from "../../../cli/plan/load.ts";
import { costOf, PRICES, type PriceName } from "../../../cli/plan/prices.ts";
import { QUOTAS, STACK } from "../../../cli/plan/quotas.ts";
import { LOG } from "../../../cli/plan/size.ts";
import { FRAME_TOPICS } from "../../../shared/protocol/limits.ts";
import { DEFAULTS } from "../../../shared/settings/settings.ts";

/* What docs/deploy.md says that a person can make an hour cost, from the prices and the default limits. */

const HOUR = 3_600;
const GIGABYTE = 1e9;
type Units = Partial<Record<PriceName, number>>;

/** Dollars of an hour in which these units are used each second. */
const hourOf = (perSecond: Units): number =>
  Object.entries(perSecond).reduce(
    (sum, [name, units]) => sum + costOf(PRICES[name as PriceName], units * HOUR),
    0,
  );

const run = (megabytes: number, milliseconds: number, logged: number, times: number): Units => ({
  invocations: times,
  gigabyteSeconds: (times * megabytes * milliseconds) / 1024 / 1000,
  logGigabytes: (times * (LOG.platform + logged)) / GIGABYTE,
});
const { httpRate, socketRate } = STACK;
const sends = DEFAULTS.quotaRequestsPerSecond * DEFAULTS.quotaFraction;

const ROWS: Readonly<Record<string, number>> = {
  "POSTs without a token": hourOf({
    ...run(512, 10, LOG.ingest + LOG.access, httpRate),
    httpRequests: httpRate,
  }),
  "the same before a JWT authorizer": hourOf({
    httpRequests: httpRate,
    logGigabytes: (httpRate * LOG.access) / GIGABYTE,
  }),
  "connects without a token": hourOf(run(256, 15, LOG.socket, QUOTAS.connects)),
  "frames of 128 KB": hourOf({
    ...run(256, 15, LOG.socket, socketRate),
    // Four units come in, and one goes out.
    socketMessages: 5 * socketRate,
    readUnits: socketRate,
  }),
  "frames that change 50 topics": hourOf({
    ...run(256, 15, LOG.socket, socketRate),
    socketMessages: 2 * socketRate,
    readUnits: 2 * socketRate,
    // Its row, of 5 KB, twice; the table of lists takes no more than its quota.
    writeUnits: 2 * 5 * socketRate + Math.min(FRAME_TOPICS * socketRate, QUOTAS.tableWrites),
  }),
  "connections that stay for two hours": hourOf({ connectionMinutes: (QUOTAS.connects * 7_200) / 60 }),
  "frames of 1 KB to everyone": hourOf({ socketMessages: sends, outGigabytes: (sends * 1_000) / 2 ** 30 }),
  "frames of 128 KB to everyone": hourOf({
    socketMessages: 4 * sends,
    outGigabytes: (sends * 131_072) / 2 ** 30,
  }),
};

test.each(Object.entries(ROWS))("the page says what an hour of %s costs", (what, usd) => {
  const page = readFileSync("docs/deploy.md", "utf8");
  const [, said] = new RegExp(`\\| ${what} \\|[^|]*\\| \\$([0-9.]+) \\|`).exec(page) ?? [];
  expect(said).toBe(usd < 100 ? usd.toFixed(1) : usd.toFixed(0));
});

test("docs/deploy.md says what a connect, a subscribe and a disconnect cost", () => {
  const load = { topics: 1, sessionSeconds: 7_200, pingSeconds: 0, pingsAlways: false, tokenSeconds: 0 };
  const { runs, metered, writeUnits, readUnits } = visitOf(load, 0).moves;
  const gigabyteSeconds = (runs * ASSUMPTIONS.socket * 256) / 1024 / 1000;
  const units = { invocations: runs, gigabyteSeconds, socketMessages: metered, writeUnits, readUnits };
  const dollars = Object.entries(units).reduce(
    (sum, [name, each]) => sum + 1e6 * each * costOf(PRICES[name as PriceName], 1),
    0,
  );
  const text = readFileSync("docs/deploy.md", "utf8");
  expect(text).toContain(`is ${writeUnits} writes, ${runs} runs of the socket function`);
  const [, said] = /a read and 2 messages: \$([\d.]+) per/.exec(text) ?? [];
  expect(Number(said) / dollars).toBeCloseTo(1, 2);
});
