import type { FunctionName } from "../../shared/settings/variables.ts";
import { visitOf } from "./connection.ts";
import { costOf, PRICES, type PriceName } from "./prices.ts";
import type { Planning, Stream } from "./stream.ts";
import { RECEIPT } from "./work.ts";

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
/** Bytes that a POST and a run of the consumer write to logs: metrics, and the stage's access log; and the steps of a message. */
const LOG = { post: 900, run: 1_040, message: 600 };
/** Long polls at a time of an event source with a MaximumConcurrency, each of 20 s. */
const IDLE_POLLS = 5;
const LONG_POLL_SECONDS = 20;

/** What a month of a load costs, part by part. */
export function costLines({ load, settings, assumed }: Planning, streams: readonly Stream[]): CostLine[] {
  const sum = (pick: (stream: Stream) => number) =>
    streams.reduce((n, stream) => n + stream.rate * SECONDS * pick(stream), 0);
  const visits = (load.connections / load.sessionSeconds) * SECONDS;
  const visit = visitOf(load);
  const seconds = (milliseconds: number, name: FunctionName) =>
    (milliseconds / 1000) * (settings.advanced.functions[name].memoryMegabytes / 1024);
  const messages = sum(() => 1);
  const sends = sum(({ work }) => work.sends);
  const posts = sum(({ work }) => work.requests);
  const runs = sum(({ work }) => work.runs.own + work.runs.fanout);
  const polls = (Object.keys(settings.lanes).length * IDLE_POLLS * SECONDS) / LONG_POLL_SECONDS;
  const parts: [string, PriceName, number][] = [
    ["POST /v1/messages", "httpRequests", posts],
    ["ingest, runs", "invocations", posts],
    [
      "ingest, time",
      "gigabyteSeconds",
      seconds(
        sum(({ work }) => work.time.ingest),
        "ingest",
      ),
    ],
    ["lanes", "queueRequests", sum(({ work }) => work.queueUnits)],
    ["lanes, polls while idle", "queueRequests", polls],
    ["fair queues", "fairRequests", settings.fairQueues ? sends : 0],
    ["consume, runs", "invocations", runs],
    [
      "consume, time",
      "gigabyteSeconds",
      seconds(
        sum(({ work }) => work.time.own + work.time.fanout),
        "consume",
      ),
    ],
    ["receipts", "writeUnits", sum(({ work }) => work.writeUnits)],
    [
      "receipts, kept",
      "storedGigabytes",
      (messages / 30) * settings.receiptRetentionDays * (RECEIPT / GIGABYTE),
    ],
    ["tag index", "readUnits", sum(({ work }) => work.readUnits)],
    ["frames", "socketMessages", sum(({ work }) => work.metered)],
    ["connections", "connectionMinutes", (load.connections * SECONDS) / 60],
    ["connects, runs", "invocations", visits * visit.runs],
    ["connects, time", "gigabyteSeconds", seconds(visits * visit.runs * assumed.socket, "socket")],
    ["connects, tables", "writeUnits", visits * visit.writeUnits],
    ["connects, reads", "readUnits", visits * visit.readUnits],
    ["subscribe frames", "socketMessages", visits * visit.metered],
    [
      "logs",
      "logGigabytes",
      (posts * LOG.post + runs * LOG.run + (settings.detailedLog ? messages * LOG.message : 0)) / GIGABYTE,
    ],
    ["fixed", "fixtures", 1],
  ];
  // Tiers are counted over all parts of a price, and shared out by their units.
  const total = new Map<PriceName, number>();
  for (const [, price, units] of parts) total.set(price, (total.get(price) ?? 0) + units);
  return parts.map(([part, price, units]) => {
    const all = total.get(price) ?? 0;
    return { part, price, units, usd: all === 0 ? 0 : (costOf(PRICES[price], all) * units) / all };
  });
}
