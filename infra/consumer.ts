import {
  type Alias,
  EventSourceMapping,
  type Function as LambdaFunction,
  RecursiveLoop,
} from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { FANOUT_LANES, LANES } from "../shared/protocol/lane.ts";
import { reservedConcurrency } from "../shared/settings/derived.ts";
import { settingsVariable } from "../shared/settings/former.ts";
import type { Settings } from "../shared/settings/schema.ts";
import type { QuotaVariable } from "../shared/settings/variables.ts";
import { type FunctionOptions, RouterFunction } from "./function.ts";
import type { Lanes } from "./lanes.ts";
import { laneId } from "./name.ts";
import type { RouterSocketApi } from "./socket-api.ts";
import type { Tables } from "./tables.ts";

export interface ConsumerProps extends FunctionOptions {
  readonly settings: Settings;
  /** Whether the function has its concurrency for itself. */
  readonly reserve: boolean;
  readonly lanes: Lanes;
  readonly tables: Tables;
  readonly sockets: RouterSocketApi;
  /** What the account has, if that is read at the deploy. Empty: what the settings say. */
  readonly quotaVariables: Readonly<Partial<Record<QuotaVariable, string>>>;
}

/**
 * Takes messages from every lane and posts them to connections. Each lane has its own brake, MaximumConcurrency,
 * and reserved concurrency is their sum: by the reserve alone, throttled receives would use up a message's receives.
 */
export class Consumer extends Construct {
  readonly function: LambdaFunction;
  readonly alias?: Alias;

  constructor(scope: Construct, id: string, props: ConsumerProps) {
    super(scope, id);
    const { settings, reserve, lanes, tables, sockets, quotaVariables } = props;
    const consume = new RouterFunction(this, "Consume", {
      ...props,
      name: "consume",
      settings: settings.advanced.functions.consume,
      environment: {
        ...lanes.variables,
        DEAD_LETTER_QUEUE_URL: lanes.deadLetters.queueUrl,
        CONNECTIONS_TABLE: tables.connections.tableName,
        SUBSCRIPTIONS_TABLE: tables.subscriptions.tableName,
        RECEIPTS_TABLE: tables.receipts.tableName,
        QUOTAS_TABLE: tables.quotas.tableName,
        ...tables.streamVariables,
        ...quotaVariables,
        SOCKET_ENDPOINT: sockets.endpoint,
        SETTINGS: settingsVariable(settings),
      },
      // Jobs and redeliveries go back into lanes. Lambda stops such a chain after 16 rounds unless told otherwise.
      recursiveLoop: RecursiveLoop.ALLOW,
      ...(reserve ? { reservedConcurrency: reservedConcurrency(settings) } : {}),
    });
    this.function = consume.function;
    if (consume.alias) this.alias = consume.alias;
    for (const lane of LANES) {
      const queue = lanes.queues[lane];
      // Not an SqsEventSource: the id that it makes holds the path of the queue. A child of the function with an alias too,
      // so that its id is the same.
      new EventSourceMapping(this.function, laneId(lane), {
        target: consume.target,
        eventSourceArn: queue.queueArn,
        batchSize: settings.advanced.batchSize[lane],
        maxConcurrency: settings.lanes[lane].concurrency,
        reportBatchItemFailures: true,
      });
      queue.grantConsumeMessages(this.function);
    }
    lanes.grantSend(this.function, ...FANOUT_LANES);
    lanes.grantDeadLetter(this.function);
    tables.grant("consume", this.function);
    // POST sends a frame; GET asks whether the gateway is up.
    sockets.grantConnections(consume.role, ["POST", "GET"]);
  }
}
