import { LANES } from "../../shared/protocol/lane.ts";
import { list, table } from "../table.ts";
import type { Limit } from "./limit.ts";
import type { Load } from "./load.ts";
import type { CapacityPlan } from "./plan.ts";
import { CHECKED, REGION } from "./prices.ts";

/** The plan for people to read. */
export function describe(found: CapacityPlan, load: Load): string {
  return [
    title(found, load),
    messagesTable(found),
    lanesTable(found),
    capacity(found),
    returnTable(found),
    limitsTable(found, load),
    costTable(found),
  ].join("\n");
}

function title({ limits, monthlyTotal }: CapacityPlan, { connections, peak }: Load): string {
  const [first] = limits;
  const account = limits.find(({ kind }) => kind === "account");
  const growth = ({ share }: Limit) => (share > 0 ? `${number(1 / share)} times this load` : "any load");
  const statusOf = (limit: Limit): string => {
    if (limit.share > peak) return `does not fit: even on average it needs ${percent(limit.share / peak)} of`;
    if (limit.share > 1) return `fits, but messages wait at its peak, which needs ${percent(limit.share)} of`;
    return `fits; at ${growth(limit)} it meets its first limit,`;
  };
  const lines = [
    `${number(connections)} connections, ${usd(monthlyTotal)} a month`,
    first && `${statusOf(first)} ${first.name}`,
    account &&
      account !== first &&
      `the first limit of the account is ${account.name}, at ${growth(account)}`,
  ];
  return `${lines.filter((line) => line).join("\n")}\n`;
}

const messagesTable = ({ streams }: CapacityPlan): string =>
  table([
    ["messages/s", "to", "jobs", "SQS calls", "writes", "reads", "frames", "last frame after"],
    ...streams.map(({ rate, audience, work }) => [
      number(rate),
      number(audience),
      number(work.jobs),
      number(work.sends + 2 * work.deletes),
      `${number(work.writeUnits)} WRU`,
      `${number(work.readUnits)} RRU`,
      number(work.frames),
      duration(work.toLast / 1000),
    ]),
  ]);

const lanesTable = ({ lanes }: CapacityPlan): string =>
  table([
    ["lane", "runs needed", "allowed", "advised"],
    ...LANES.map((lane) => {
      const { needed, allowed, advised } = lanes[lane];
      return [lane, number(needed), number(allowed), number(advised)];
    }),
  ]);

const capacity = ({ sendsInFlight, tables, drain, pingsPerSecond }: CapacityPlan): string =>
  list([
    ["sends in flight", `${number(sendsInFlight.needed)} needed, ${number(sendsInFlight.allowed)} allowed`],
    ["tables, average", `${number(tables.average.writes)} WRU/s, ${number(tables.average.reads)} RRU/s`],
    ["tables, peak", `${number(tables.peak.writes)} WRU/s, ${number(tables.peak.reads)} RRU/s`],
    [
      `backlog of ${duration(drain.outageSeconds)}`,
      drain.seconds === undefined
        ? "never drains: lanes fill faster"
        : `drains in ${duration(drain.seconds)}`,
    ],
    ["pings", `${number(pingsPerSecond)} a second`],
  ]);

/** The limits that hold up the return of all connections, as long as they cost a tenth of the slowest. */
const returnTable = ({ reconnectLimits, reconnectSeconds }: CapacityPlan): string =>
  table([
    ["all cut at once", "", "all back after"],
    ...reconnectLimits
      .filter(({ seconds }) => seconds > 0 && seconds >= reconnectSeconds / 10)
      .map(({ name, kind, seconds }) => [
        name,
        kind,
        seconds === Number.POSITIVE_INFINITY ? "never" : duration(seconds),
      ]),
  ]);

const limitsTable = ({ limits }: CapacityPlan, { peak }: Load): string =>
  table([
    [`at the peak (× ${peak})`, "", "needed", "limit", "used"],
    ...limits
      .filter(({ used }) => used > 0)
      .map(({ name, kind, used, limit, share }) => [name, kind, number(used), number(limit), percent(share)]),
  ]);

const costTable = ({ monthly, monthlyTotal }: CapacityPlan): string =>
  table([
    ["a month", "units", "cost"],
    ...monthly
      .filter(({ units }) => units > 0)
      .map(({ part, units, usd: cost }) => [part, number(units), usd(cost)]),
    ["together", "", usd(monthlyTotal)],
  ]) + `Prices of ${REGION}, ${CHECKED}, without free allowances.\n`;

/** Three digits where it is small, none after the point where it is large. Less than a ten-millionth is 0. */
const number = (value: number): string =>
  (value < 1e-7 ? 0 : value).toLocaleString(
    "en-US",
    value < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 },
  );
const percent = (share: number): string => `${number(share * 100)} %`;
const usd = (value: number): string =>
  `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

function duration(seconds: number): string {
  if (seconds < 1) return `${number(seconds * 1000)} ms`;
  if (seconds < 600) return `${number(seconds)} s`;
  return seconds < 36_000 ? `${number(seconds / 60)} min` : `${number(seconds / 3_600)} h`;
}
