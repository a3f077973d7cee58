import { Duration } from "aws-cdk-lib";
import { Dashboard, GraphWidget, type IMetric, type Metric } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import type { Metric as MetricName } from "../shared/metric.ts";
import { LANES } from "../shared/protocol/lane.ts";
import type { RouterMetrics } from "./metrics.ts";

export interface RouterDashboardProps {
  readonly router: RouterMetrics;
}

/** The path of a message, one row per stage. */
export class RouterDashboard extends Construct {
  constructor(scope: Construct, id: string, { router }: RouterDashboardProps) {
    super(scope, id);
    const { functions, httpApi } = router;
    const { consume } = functions;
    const counts = (...names: readonly MetricName[]) => names.map((name) => router.metric(name));
    const rows: readonly (readonly [title: string, metrics: readonly IMetric[]])[][] = [
      [
        ["Messages", counts("MessagesAccepted", "MessagesRefused")],
        ["HTTP errors", [httpApi.metricClientError(), httpApi.metricServerError()]],
        ["HTTP latency (ms)", [p("p50", httpApi.metricLatency()), p("p99", httpApi.metricLatency())]],
      ],
      [
        ["Waiting", LANES.map((lane) => router.metricLaneDepth(lane))],
        ["Oldest (s)", LANES.map((lane) => router.metricLaneAge(lane))],
        ["Dead letters", [router.metricDeadLetters()]],
      ],
      [
        ["Runs under way", [p("Maximum", consume.metric("ConcurrentExecutions"))]],
        ["Run (ms)", ["p50", "p99"].map((statistic) => p(statistic, consume.metricDuration()))],
        ["Crashes and throttles", [consume.metricErrors(), consume.metricThrottles()]],
      ],
      [
        ["Sends", counts("FramesSent", "SendsBusy", "SendsRefused", "ConnectionsGone")],
        ["Messages taken", counts("Claims", "Duplicates", "Endings", "Retries", "DeadLetters")],
        ["Connections", counts("ConnectionsOpened", "ConnectionsClosed", "Subscribed")],
      ],
      [["Gateway", counts("GatewayDown", "SendsForbidden")]],
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
