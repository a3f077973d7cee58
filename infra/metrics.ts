import type { IHttpApi, IWebSocketApi } from "aws-cdk-lib/aws-apigatewayv2";
import { MathExpression, Metric, type MetricOptions } from "aws-cdk-lib/aws-cloudwatch";
import type { ITable } from "aws-cdk-lib/aws-dynamodb";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { describe, type Metric as MetricName } from "../shared/metric.ts";
import type { Lane } from "../shared/protocol/lane.ts";
import type { TableName } from "../shared/settings/tables.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import { routerName } from "./name.ts";
import type { RouterTables } from "./tables.ts";

export interface RouterMetricOptions extends MetricOptions {
  /**
   * The function that counts. Matters for `Faults` alone, which every function has.
   * @default the function that has the metric; consume for `Faults`
   */
  readonly function?: FunctionName;
  /**
   * The lane of a metric that is measured by lane; each lane is a metric of its own. Others have none.
   * @default high
   */
  readonly lane?: Lane;
}

/**
 * The metrics of a router. Each method takes what CloudWatch may do otherwise, as `period` and `statistic`. Those of
 * AWS about a function or the HTTP API are methods of `functions.consume`, `httpApi` and so on.
 */
export abstract class RouterMetrics extends Construct {
  /** The queue of each lane. */
  abstract readonly lanes: Readonly<Record<Lane, IQueue>>;
  /** Where messages are that failed for good. */
  abstract readonly deadLetterQueue: IQueue;
  abstract readonly functions: Readonly<Record<FunctionName, IFunction>>;
  abstract readonly tables: RouterTables;
  abstract readonly httpApi: IHttpApi;
  abstract readonly socketApi: IWebSocketApi;
  /** The value of the dimension `router` of each metric in the namespace `Tagwire`: STACK/PATH. */
  readonly routerName: string = routerName(this);

  /**
   * A metric that a function of the router writes to its log, in the embedded metric format.
   * @default over 5 minutes: the sum of a count, the 99th percentile of a measurement
   */
  metric(name: MetricName, { function: given, lane = "high", ...options }: RouterMetricOptions = {}): Metric {
    const { by, unit, byLane } = describe(name);
    const [service] = given === undefined ? by : [given];
    return new Metric({
      namespace: "Tagwire",
      metricName: name,
      dimensionsMap: { router: this.routerName, service, ...(byLane ? { lane } : {}) },
      statistic: unit === "Count" ? "Sum" : "p99",
      ...options,
    });
  }

  /** Messages that were answered with `queued`. @default the sum over 5 minutes */
  metricMessagesAccepted(options?: MetricOptions): Metric {
    return this.metric("MessagesAccepted", options);
  }

  /** Messages that were refused, for what they are or since their lane is full. @default the sum over 5 minutes */
  metricMessagesRefused(options?: MetricOptions): Metric {
    return this.metric("MessagesRefused", options);
  }

  /** Frames that API Gateway took for a connection. @default the sum over 5 minutes */
  metricFramesSent(options?: MetricOptions): Metric {
    return this.metric("FramesSent", options);
  }

  /** Connections that were accepted. @default the sum over 5 minutes */
  metricConnectionsOpened(options?: MetricOptions): Metric {
    return this.metric("ConnectionsOpened", options);
  }

  /** Sends that the stack or its policies forbid. @default the sum over 5 minutes */
  metricSendsForbidden(options?: MetricOptions): Metric {
    return this.metric("SendsForbidden", options);
  }

  /** Runs that began while API Gateway was down. @default the sum over 5 minutes */
  metricGatewayDown(options?: MetricOptions): Metric {
    return this.metric("GatewayDown", options);
  }

  /** Dead letters in their queue. @default the maximum over 5 minutes */
  metricDeadLetters(options?: MetricOptions): Metric {
    return this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
      statistic: "Maximum",
      ...options,
    });
  }

  /** Seconds that the oldest message of a lane has waited. @default the maximum over 5 minutes */
  metricLaneAge(lane: Lane, options?: MetricOptions): Metric {
    return this.lanes[lane].metricApproximateAgeOfOldestMessage({ statistic: "Maximum", ...options });
  }

  /** Messages that wait in a lane. @default the maximum over 5 minutes */
  metricLaneDepth(lane: Lane, options?: MetricOptions): Metric {
    return this.lanes[lane].metricApproximateNumberOfMessagesVisible({ statistic: "Maximum", ...options });
  }

  /** Seconds that the oldest dead letter has waited. @default the maximum over 5 minutes */
  metricDeadLetterAge(options?: MetricOptions): Metric {
    return this.deadLetterQueue.metricApproximateAgeOfOldestMessage({ statistic: "Maximum", ...options });
  }

  /** Connects that a fault refused, in percent of those that did not bring it about. @default over 5 minutes */
  metricConnectsFailedPercent(options?: MetricOptions): MathExpression {
    return new MathExpression({
      expression: "IF(FILL(failed,0)>0,100*FILL(failed,0)/(FILL(failed,0)+FILL(opened,0)),0)",
      usingMetrics: {
        failed: this.metric("ConnectsFailed", options),
        opened: this.metric("ConnectionsOpened", options),
      },
      label: "Connects failed (%)",
      ...(options?.period ? { period: options.period } : {}),
    });
  }

  /** A metric of AWS about the WebSocket API. @default the sum over 5 minutes */
  metricSocketApi(name: SocketApiMetric, options?: MetricOptions): Metric {
    return this.socketApi.metric(name, { statistic: "Sum", ...options });
  }

  /** Reads and writes of a table that DynamoDB throttled. @default the sum over 5 minutes */
  metricTableThrottles(name: TableName, options?: MetricOptions): MathExpression {
    const events = (of: "Read" | "Write") => tableMetric(this.tables[name], `${of}ThrottleEvents`, options);
    return new MathExpression({
      expression: `FILL(${name}Reads,0)+FILL(${name}Writes,0)`,
      usingMetrics: { [`${name}Reads`]: events("Read"), [`${name}Writes`]: events("Write") },
      label: `${name} throttled`,
      ...(options?.period ? { period: options.period } : {}),
    });
  }

  /** Units of a table that were used. @default the sum over 5 minutes */
  metricTableUnits(name: TableName, of: "Read" | "Write", options?: MetricOptions): Metric {
    return tableMetric(this.tables[name], `Consumed${of}CapacityUnits`, options);
  }
}

/** What AWS counts of a WebSocket API. */
export type SocketApiMetric =
  | "ConnectCount"
  | "MessageCount"
  | "ClientError"
  | "IntegrationError"
  | "ExecutionError"
  | "IntegrationLatency";

function tableMetric(table: ITable | undefined, name: string, options?: MetricOptions): Metric {
  if (!table) throw new Error("the router has no such table");
  return table.metric(name, { statistic: "Sum", ...options });
}
