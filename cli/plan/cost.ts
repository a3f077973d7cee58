import { LANES } from "../../shared/protocol/lane.ts";
import type { FunctionName } from "../../shared/settings/variables.ts";
import { visitOf } from "./connection.ts";
import { RECEIPT } from "./fanout.ts";
import { costOf, PRICES, type PriceName } from "./prices.ts";
import type { Sharing } from "./sharing.ts";
import { LOG, OUT } from "./size.ts";
import { framesEach, type Planning, type Stream } from "./stream.ts";

export interface CostLine {
  /** What it is for. */
  readonly part: string;
  readonly price: PriceName;
  /** Units in a month. */
  readonly units: number;
  readonly usd: number;
}

/** A month of 30 days. */
const SECONDS = 2_592_000;
const GIGABYTE = 1_000_000_000;
/** Data transfer is measured in steps of 1,024. */
const BINARY_GIGABYTE = 2 ** 30;
/** Long polls at a time of an event source with a MaximumConcurrency, each of 20 s. */
const IDLE_POLLS = 5;
const LONG_POLL_SECONDS = 20;
/** What the stack has whatever the load is. An alarm costs by the metrics that it looks at. Custom
 * metrics are those that a router in use writes, about. */
export const FIXED = { secrets: 1, alarms: 45, dashboards: 1, metrics: 30 } as const;

/** What a month of a load costs, part by part. */
export function costLines(
  { load, settings, assumed }: Planning,
  streams: readonly Stream[],
  sharing: Sharing,
): CostLine[] {
  const sum = (pick: (stream: Stream) => number) =>
    streams.reduce((n, stream) => n + stream.rate * SECONDS * pick(stream), 0);
  const visits = (load.connections / load.sessionSeconds) * SECONDS;
  const { moves, pings } = visitOf(load, framesEach(load));
  const seconds = (milliseconds: number, name: FunctionName) =>
    (milliseconds / 1000) * (settings.advanced.functions[name].memoryMegabytes / 1024);
  const messages = sum(() => 1);
  const sends = sum(({ work }) => work.sends);
  const posts = sum(({ work }) => work.requests);
  const runs = sum(({ work }) => work.runs.own + work.runs.fanout);
  const polls = (LANES.length * IDLE_POLLS * SECONDS) / LONG_POLL_SECONDS;
  const ingestTime = sum(({ work }) => work.time.ingest);
  const consumeTime = sum(({ work }) => work.time.own + work.time.fanout);
  const kept = sum(({ work }) => work.keptDays / 30) * (RECEIPT / GIGABYTE);
  const out =
    posts * OUT.post +
    messages * OUT.message +
    sum(({ work }) => work.frames * (load.bytes + OUT.wire)) +
    visits * (moves.outBytes + pings.outBytes);
  const parts: [string, PriceName, number][] = [
    ["POST /v1/messages", "httpRequests", posts],
    ["ingest, runs", "invocations", posts],
    ["ingest, time", "gigabyteSeconds", seconds(ingestTime, "ingest")],
    ["lanes", "queueRequests", sum(({ work }) => work.queueUnits)],
    ["lanes, polls while idle", "queueRequests", polls],
    ["fair queues", "fairRequests", settings.fairQueues ? sends : 0],
    ["consume, runs", "invocations", runs],
    ["consume, time", "gigabyteSeconds", seconds(consumeTime, "consume")],
    ["receipts", "writeUnits", sum(({ work }) => work.writeUnits)],
    ["receipts, kept", "storedGigabytes", kept],
    ["receipts, point-in-time recovery", "recoveryGigabytes", kept],
    ["shares of the quota", "writeUnits", SECONDS * sharing.writes],
    ["shares of the quota, reads", "readUnits", SECONDS * sharing.reads],
    ["tag index", "readUnits", sum(({ work }) => work.readUnits)],
    ["frames", "socketMessages", sum(({ work }) => work.metered)],
    ["connections", "connectionMinutes", (load.connections * SECONDS) / 60],
    ["connects, runs", "invocations", visits * moves.runs],
    ["connects, time", "gigabyteSeconds", seconds(visits * moves.runs * assumed.socket, "socket")],
    ["connects, tables", "writeUnits", visits * moves.writeUnits],
    ["connects, reads", "readUnits", visits * moves.readUnits],
    ["subscribe and token frames", "socketMessages", visits * moves.metered],
    ["pings", "socketMessages", visits * pings.metered],
    ["pings, runs", "invocations", visits * pings.runs],
    ["pings, time", "gigabyteSeconds", seconds(visits * pings.runs * assumed.socket, "socket")],
    ["pings, reads", "readUnits", visits * pings.readUnits],
    [
      "logs of POSTs and deliveries",
      "logGigabytes",
      (posts * (LOG.platform + LOG.ingest + LOG.access) +
        runs * (LOG.platform + LOG.consume) +
        (settings.detailedLog ? messages * LOG.step : 0)) /
        GIGABYTE,
    ],
    ["logs of sockets", "logGigabytes", (visits * (moves.logBytes + pings.logBytes)) / GIGABYTE],
    ["data out", "outGigabytes", out / BINARY_GIGABYTE],
    ...(["secrets", "alarms", "dashboards", "metrics"] as const).map((name): [string, PriceName, number] => [
      name,
      name,
      FIXED[name],
    ]),
  ];
  // Tiers are counted over all parts of a price, and shared out by their units.
  const total = new Map<PriceName, number>();
  for (const [, price, units] of parts) total.set(price, (total.get(price) ?? 0) + units);
  return parts.map(([part, price, units]) => {
    const all = total.get(price) ?? 0;
    return { part, price, units, usd: all === 0 ? 0 : (costOf(PRICES[price], all) * units) / all };
  });
}
