import { Duration } from "aws-cdk-lib";
import { Dashboard, GraphWidget, type IMetric, type Metric } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { chunks } from "../shared/chunks.ts";
import { describe, metricPanels } from "../shared/metric.ts";
import { LANES } from "../shared/protocol/lane.ts";
import type { Settings } from "../shared/settings/schema.ts";
import type { TableName } from "../shared/settings/tables.ts";
import { FUNCTIONS } from "../shared/settings/variables.ts";
import { costPerHour } from "./cost.ts";
import type { RouterMetrics, SocketApiMetric } from "./metrics.ts";

export interface RouterDashboardProps {
  readonly router: RouterMetrics;
  readonly settings: Settings;
}

type Graph = readonly [title: string, metrics: readonly IMetric[]];

/** How the router is: what users feel first, then each part of it. */
export class RouterDashboard extends Construct {
  constructor(scope: Construct, id: string, { router, settings }: RouterDashboardProps) {
    super(scope, id);
    const graphs: readonly Graph[] = [
      ["Dollars an hour", [costPerHour(router, settings)]],
      ...ownGraphs(router),
      ...laneGraphs(router),
      ...apiGraphs(router),
      ...functionGraphs(router),
      ...tableGraphs(router),
    ];
    new Dashboard(this, "Dashboard", {
      defaultInterval: Duration.hours(3),
      widgets: chunks(graphs, 3).map((row) =>
        row.map(([title, left]) => new GraphWidget({ title, left: [...left], width: 8, height: 6 })),
      ),
    });
  }
}

/** What the functions write. A measurement by lane has a line for each lane. */
const ownGraphs = (router: RouterMetrics): Graph[] =>
  metricPanels().map(({ title, names }) => [
    title,
    names.flatMap((name) => {
      const { byLane, by } = describe(name);
      if (byLane) return LANES.map((lane) => router.metric(name, { lane, label: lane }));
      return by.map((service) =>
        router.metric(name, { function: service, ...(by.length > 1 ? { label: service } : {}) }),
      );
    }),
  ]);

const laneGraphs = (router: RouterMetrics): Graph[] => [
  ["Waiting", LANES.map((lane) => router.metricLaneDepth(lane, { label: lane }))],
  [
    "Taken or hidden",
    LANES.map((lane) =>
      router.lanes[lane].metricApproximateNumberOfMessagesNotVisible({ statistic: "Maximum", label: lane }),
    ),
  ],
  [
    "Delayed",
    LANES.map((lane) =>
      router.lanes[lane].metricApproximateNumberOfMessagesDelayed({ statistic: "Maximum", label: lane }),
    ),
  ],
  ["Oldest (s)", LANES.map((lane) => router.metricLaneAge(lane, { label: lane }))],
  ["Dead letters", [router.metricDeadLetters()]],
  ["Oldest dead letter (s)", [router.metricDeadLetterAge()]],
];

function apiGraphs(router: RouterMetrics): Graph[] {
  const { httpApi } = router;
  const sockets = (...names: readonly SocketApiMetric[]) => names.map((name) => router.metricSocketApi(name));
  return [
    ["HTTP requests", [httpApi.metricCount(), httpApi.metricClientError(), httpApi.metricServerError()]],
    ["HTTP latency (ms)", percentiles(httpApi.metricLatency())],
    ["WebSocket connects and messages", sockets("ConnectCount", "MessageCount")],
    ["WebSocket errors", sockets("ClientError", "IntegrationError", "ExecutionError")],
    ["Connects failed (%)", [router.metricConnectsFailedPercent()]],
  ];
}

function functionGraphs({ functions }: RouterMetrics): Graph[] {
  const of = (pick: (name: (typeof FUNCTIONS)[number]) => Metric) =>
    FUNCTIONS.map((name) => pick(name).with({ label: name }));
  return [
    [
      "Runs under way",
      of((name) => functions[name].metric("ConcurrentExecutions", { statistic: "Maximum" })),
    ],
    ["Run, p99 (ms)", of((name) => functions[name].metricDuration({ statistic: "p99" }))],
    ["Crashes", of((name) => functions[name].metricErrors())],
    ["Throttled runs", of((name) => functions[name].metricThrottles())],
  ];
}

function tableGraphs(router: RouterMetrics): Graph[] {
  const names = Object.keys(router.tables) as TableName[];
  const units = (of: "Read" | "Write") =>
    names.map((name) => router.metricTableUnits(name, of, { label: name }));
  return [
    ["Tables, units read", units("Read")],
    ["Tables, units written", units("Write")],
    ["Tables, throttled", names.map((name) => router.metricTableThrottles(name))],
  ];
}

const percentiles = (metric: Metric): Metric[] =>
  ["p50", "p99"].map((statistic) => metric.with({ statistic, label: statistic }));
