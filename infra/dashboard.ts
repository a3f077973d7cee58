import { Duration } from "aws-cdk-lib";
import { Dashboard, GraphWidget, type IMetric, type Metric } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import type { Metric as MetricName } from "../shared/ports.ts";
import { LANES } from "../shared/protocol/lane.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import type { Consumer } from "./consumer.ts";
import type { IngestApi } from "./ingest-api.ts";
import type { Lanes } from "./lanes.ts";
import { countOf } from "./metric.ts";

export interface RouterDashboardProps {
  /** What the router is called in metrics. */
  readonly router: string;
  readonly lanes: Lanes;
  readonly consumer: Consumer;
  readonly ingest: IngestApi;
}

/** The path of a message, one row per stage. */
export class RouterDashboard extends Construct {
  constructor(scope: Construct, id: string, { router, lanes, consumer, ingest }: RouterDashboardProps) {
    super(scope, id);
    const counts = (service: FunctionName, ...names: readonly MetricName[]) =>
      names.map((name) => countOf(router, service, name));
    const queues = LANES.map((lane) => lanes.queues[lane]);
    const rows: readonly (readonly [title: string, metrics: readonly IMetric[]])[][] = [
      [
        ["Messages", counts("ingest", "MessagesAccepted", "MessagesRefused")],
        ["HTTP errors", [ingest.api.metricClientError(), ingest.api.metricServerError()]],
        ["HTTP latency (ms)", [p("p50", ingest.api.metricLatency()), p("p99", ingest.api.metricLatency())]],
      ],
      [
        ["Waiting", queues.map((queue) => queue.metricApproximateNumberOfMessagesVisible())],
        ["Oldest (s)", queues.map((queue) => queue.metricApproximateAgeOfOldestMessage())],
        ["Dead letters", [lanes.deadLetters.metricApproximateNumberOfMessagesVisible()]],
      ],
      [
        ["Runs under way", [p("Maximum", consumer.function.metric("ConcurrentExecutions"))]],
        ["Run (ms)", ["p50", "p99"].map((statistic) => p(statistic, consumer.function.metricDuration()))],
        ["Crashes and throttles", [consumer.function.metricErrors(), consumer.function.metricThrottles()]],
      ],
      [
        ["Posts", counts("consume", "FramesSent", "SendsBusy", "SendsRefused", "ConnectionsGone")],
        ["Messages taken", counts("consume", "Claims", "Duplicates", "Endings", "Retries", "DeadLetters")],
        ["Connections", counts("socket", "ConnectionsOpened", "ConnectionsClosed", "Subscribed")],
      ],
      [["Gateway", counts("consume", "GatewayDown", "SendsForbidden")]],
    ];
    const dashboard = new Dashboard(this, "Dashboard", { defaultInterval: Duration.hours(3) });
    for (const row of rows) {
      dashboard.addWidgets(
        ...row.map(([title, left]) => new GraphWidget({ title, left: [...left], width: 8, height: 6 })),
      );
    }
  }
}

const p = (statistic: string, metric: Metric): Metric => metric.with({ statistic });
