import type { IHttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { Metric, type MetricOptions } from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Metric as MetricName } from "../shared/metric.ts";
import type { Lane } from "../shared/protocol/lane.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import { routerName } from "./name.ts";

export interface RouterMetricOptions extends MetricOptions {
  /**
   * The function that counts. Matters for `Faults` alone, which every function has.
   * @default the function that has the metric; consume for `Faults`
   */
  readonly function?: FunctionName;
}

/** The function that writes each metric. */
const WRITTEN_BY: Readonly<Record<MetricName, FunctionName>> = {
  MessagesAccepted: "ingest",
  MessagesRefused: "ingest",
  Claims: "consume",
  Duplicates: "consume",
  Endings: "consume",
  Retries: "consume",
  DeadLetters: "consume",
  Deaths: "consume",
  FramesSent: "consume",
  MeteredUnits: "consume",
  ConnectionsGone: "consume",
  SendsBusy: "consume",
  SendsRefused: "consume",
  SendsForbidden: "consume",
  GatewayDown: "consume",
  QuotaExceeded: "consume",
  Faults: "consume",
  ConnectionsOpened: "socket",
  ConnectionsClosed: "socket",
  Subscribed: "socket",
  Unsubscribed: "socket",
  FramesRefused: "socket",
};

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
  abstract readonly httpApi: IHttpApi;
  /** The value of the dimension `router` of each metric in the namespace `Tagwire`: STACK/PATH. */
  readonly routerName: string = routerName(this);

  /**
   * A count that a function of the router writes to its log, in the embedded metric format.
   * @default the sum over 5 minutes
   */
  metric(
    name: MetricName,
    { function: service = WRITTEN_BY[name], ...options }: RouterMetricOptions = {},
  ): Metric {
    return new Metric({
      namespace: "Tagwire",
      metricName: name,
      dimensionsMap: { router: this.routerName, service },
      statistic: "Sum",
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

  /**
   * Times that a consumer lowered its rate since API Gateway throttled several connections at once: the account gives
   * fewer requests than the settings say. @default the sum over 5 minutes
   */
  metricQuotaExceeded(options?: MetricOptions): Metric {
    return this.metric("QuotaExceeded", options);
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
}
