import type { FunctionName } from "./settings/variables.ts";

/** What a metric is, for all that write it, show it or watch it. */
export interface MetricDescription {
  /** The functions that write it. The first is meant where none is named. */
  readonly by: readonly [FunctionName, ...FunctionName[]];
  /** `Count` is added up over a period; the others are measurements, of which a period has a distribution. */
  readonly unit: "Count" | "Milliseconds" | "Percent";
  /** Whether it has the dimension `lane` beside `router` and `service`. @default false */
  readonly byLane?: true;
  /** The title of the graph that shows it. Metrics of one graph are of one unit and stand together in the list. */
  readonly panel: string;
  /** One sentence, for dashboards and Prometheus. */
  readonly help: string;
}

const count = <const F extends FunctionName>(by: F, panel: string, help: string) =>
  ({ by: [by], unit: "Count", panel, help }) as const;
const perLane = (panel: string, help: string) =>
  ({ by: ["consume"], unit: "Milliseconds", byLane: true, panel, help }) as const;

/**
 * All metrics that the functions write. CloudWatch, the dashboards, `/metrics` and docs/runbook.md have these and no others.
 * Dimensions are bounded: a router, its five functions, and its lanes.
 */
export const METRICS = {
  MessagesAccepted: count("ingest", "Messages", "Messages answered with queued."),
  MessagesRefused: count("ingest", "Messages", "Messages refused, whatever the reason."),
  MessagesShed: count(
    "ingest",
    "Messages",
    "Messages refused since a lane is full or SQS did not store them.",
  ),
  Claims: count("consume", "Messages taken", "Messages and jobs that a run has claimed."),
  Duplicates: count(
    "consume",
    "Messages taken",
    "Messages dropped since their id was seen within the dedupe window.",
  ),
  Endings: count("consume", "Messages taken", "Messages and jobs that have ended."),
  Retries: count("consume", "Messages taken", "Messages and jobs that are tried again later."),
  DeadLetters: count("consume", "Messages taken", "Messages and jobs sent to the dead-letter queue."),
  Deaths: count("consume", "Messages taken", "Runs that died while they had the lease of a message."),
  LaneWait: perLane(
    "Wait in the lane",
    "From when a message or job was due until a run received it for the first time.",
  ),
  TimeToFirstSend: perLane(
    "From POST to the first send",
    "From when a message was due until the first frame of it was sent, per message or job.",
  ),
  TimeToLastSend: perLane(
    "From POST to the last send",
    "From when a message was due until the last frame of it was sent, per message or job.",
  ),
  FramesSent: count("consume", "Sends", "Frames that API Gateway took for a connection."),
  MeteredUnits: count("consume", "Sends", "Frames sent, in the units of 32 KB that API Gateway bills."),
  ConnectionsGone: count("consume", "Sends", "Connections that a send found closed."),
  SendsBusy: count(
    "consume",
    "Sends that failed",
    "Sends that failed and are tried again: 429, a timeout or 5xx.",
  ),
  SendsRefused: count("consume", "Sends that failed", "Sends that API Gateway refuses for good: 400 or 413."),
  SendsForbidden: count(
    "consume",
    "Sends that failed",
    "Sends that the stack or its policies forbid: 403 or 404.",
  ),
  GatewayDown: count("consume", "Gateway", "Runs that began while API Gateway was down."),
  QuotaExhausted: count(
    "consume",
    "Gateway",
    "Runs that ended while API Gateway refused sends since the account's quota is used up.",
  ),
  QuotaInUse: {
    by: ["consume"],
    unit: "Percent",
    panel: "Quota in use",
    help: "The share of the quota of requests that sends use.",
  },
  ConnectionsOpened: count("socket", "Connections", "Connections that were accepted."),
  ConnectionsClosed: count("socket", "Connections", "Connections that were closed."),
  ConnectsFailed: count(
    "socket",
    "Connects refused",
    "Connects that a fault of the router or of AWS refused (5xx).",
  ),
  ConnectsRefused: count(
    "socket",
    "Connects refused",
    "Connects refused for what they brought: no token, a bad one, another protocol (4xx).",
  ),
  Subscribed: count("socket", "Frames of clients", "Topics that connections subscribed to."),
  Unsubscribed: count("socket", "Frames of clients", "Topics that connections unsubscribed from."),
  FramesRefused: count("socket", "Frames of clients", "Frames of clients answered with an error."),
  Faults: {
    by: ["consume", "ingest", "receipts", "connections", "socket"],
    unit: "Count",
    panel: "Faults",
    help: "Requests, frames and records that ended in a fault.",
  },
} as const satisfies Readonly<Record<string, MetricDescription>>;

export type Metric = keyof typeof METRICS;
/** The metrics that are counted. */
export type Count = { [N in Metric]: (typeof METRICS)[N]["unit"] extends "Count" ? N : never }[Metric];
/** The metrics that are measured. */
export type Measure = Exclude<Metric, Count>;

export const METRIC_NAMES = Object.keys(METRICS) as readonly Metric[];

export const describe = (name: Metric): MetricDescription => METRICS[name];

/** The metrics by the graph that shows them, in the order of the list. */
export function metricPanels(): readonly { readonly title: string; readonly names: readonly Metric[] }[] {
  const titles = [...new Set(METRIC_NAMES.map((name) => METRICS[name].panel))];
  return titles.map((title) => ({
    title,
    names: METRIC_NAMES.filter((name) => METRICS[name].panel === title),
  }));
}
