import { RemovalPolicy } from "aws-cdk-lib";
import {
  AttributeType,
  Billing,
  type ITable,
  TableEncryptionV2,
  TableV2,
  type WarmThroughput,
} from "aws-cdk-lib/aws-dynamodb";
import { type IKey, Key } from "aws-cdk-lib/aws-kms";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { pascalCase } from "../shared/settings/pascal-case.ts";
import { TABLES, type TableDescription, type TableName } from "../shared/settings/tables.ts";
import type { FunctionName, StreamVariable } from "../shared/settings/variables.ts";
import { accept } from "./accept.ts";
import { KEY_ACTIONS } from "./function.ts";

/** A router's tables. `streams` is there if the settings keep a stream. */
export type RouterTables = Readonly<Record<Exclude<TableName, "streams">, ITable>> & {
  readonly streams?: ITable;
};

export interface TablesProps {
  /** Whether there is a table of streams. */
  readonly keepsStreams: boolean;
  /** The table in which routers of the account share its quota. @default a new one */
  readonly quotas?: ITable;
  /** What becomes of the receipts and the streams when the stack goes. */
  readonly removalPolicy: RemovalPolicy;
  /** @default keys that AWS owns */
  readonly encryptionKey?: IKey;
  /** What the tables take that a mass reconnect writes to. @default what DynamoDB gives */
  readonly warmThroughput?: WarmThroughput;
}

type Action =
  | "BatchGetItem"
  | "BatchWriteItem"
  | "DeleteItem"
  | "GetItem"
  | "PutItem"
  | "Query"
  | "UpdateItem";

/** What each function does to each table, and so what it may do. */
const ACTIONS: Readonly<Record<TableName, Partial<Record<FunctionName, readonly Action[]>>>> = {
  connections: {
    socket: ["DeleteItem", "GetItem", "PutItem", "UpdateItem"],
    connections: ["DeleteItem", "GetItem"],
    consume: ["DeleteItem", "GetItem"],
  },
  subscriptions: {
    socket: ["BatchWriteItem", "DeleteItem"],
    connections: ["DeleteItem", "Query"],
    consume: ["BatchGetItem", "DeleteItem", "Query"],
  },
  receipts: {
    consume: ["GetItem", "PutItem", "Query", "UpdateItem"],
    receipts: ["GetItem", "Query", "UpdateItem"],
  },
  quotas: {
    // At what rate the fanout lanes send.
    ingest: ["GetItem"],
    // A beat, and what removes the entry of a container that stopped.
    consume: ["UpdateItem"],
  },
  streams: {
    // A cancelled message is emptied in its row.
    consume: ["GetItem", "PutItem", "Query", "UpdateItem"],
    // Who subscribes to a stream that has not begun, or reads it, starts it.
    socket: ["GetItem", "PutItem", "Query"],
    receipts: ["GetItem", "PutItem", "Query"],
  },
};

/**
 * Tables that can be put back to any second of the last 35 days: those whose rows cannot be made again. What says who is
 * connected is made again by the clients as they reconnect, and an older state of it would name connections that are
 * closed; shares of the quota are seconds old.
 */
const RECOVERABLE: readonly TableName[] = ["receipts", "streams"];

/**
 * Who is connected, who wants what, what became of each message, how containers share the quota, and the messages that
 * are kept.
 */
export class Tables extends Construct implements RouterTables {
  readonly connections: ITable;
  readonly subscriptions: ITable;
  readonly receipts: ITable;
  readonly quotas: ITable;
  readonly streams?: ITable;
  /** What encrypts a table of quotas that was made elsewhere. CDK grants nothing of it with the table. */
  private readonly keyOfQuotas?: IKey;

  constructor(scope: Construct, id: string, props: TablesProps) {
    super(scope, id);
    const { keepsStreams, removalPolicy, encryptionKey, warmThroughput } = props;
    const table = (name: TableName, removal: RemovalPolicy, warm?: WarmThroughput): ITable => {
      const { partitionKey, sortKey, sortKeyType = "S", timeToLive }: TableDescription = TABLES[name];
      const sortType = sortKeyType === "N" ? AttributeType.NUMBER : AttributeType.STRING;
      const isRecoverable = RECOVERABLE.includes(name);
      const made = new TableV2(this, pascalCase(name), {
        partitionKey: { name: partitionKey, type: AttributeType.STRING },
        ...(sortKey ? { sortKey: { name: sortKey, type: sortType } } : {}),
        timeToLiveAttribute: timeToLive,
        billing: Billing.onDemand(),
        ...(warm ? { warmThroughput: warm } : {}),
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: isRecoverable },
        encryption: encryptionKey
          ? TableEncryptionV2.customerManagedKey(encryptionKey)
          : TableEncryptionV2.dynamoOwnedKey(),
        removalPolicy: removal,
      });
      if (!isRecoverable)
        accept(
          made,
          "AwsSolutions-DDB3",
          "Its rows are of this moment; clients make them again as they reconnect.",
        );
      // CDK is not written for exactOptionalPropertyTypes.
      return made as ITable;
    };
    // Without the sockets of this stack these two say nothing. Nor do the shares of the quota without its functions.
    this.connections = table("connections", RemovalPolicy.DESTROY, warmThroughput);
    this.subscriptions = table("subscriptions", RemovalPolicy.DESTROY, warmThroughput);
    this.receipts = table("receipts", removalPolicy);
    this.quotas = props.quotas ?? table("quotas", RemovalPolicy.DESTROY);
    const key = props.quotas?.encryptionKey;
    // By its ARN, as the router's own.
    if (key) this.keyOfQuotas = Key.fromKeyArn(this, "KeyOfQuotas", key.keyArn);
    if (keepsStreams) this.streams = table("streams", removalPolicy);
  }

  /** The variables of STREAM_ENV. */
  get streamVariables(): Readonly<Partial<Record<StreamVariable, string>>> {
    return this.streams ? { STREAMS_TABLE: this.streams.tableName } : {};
  }

  /** Lets a function do what ACTIONS says of it. */
  grant(name: FunctionName, grantee: LambdaFunction): void {
    for (const table of Object.keys(TABLES) as TableName[]) {
      const actions = ACTIONS[table][name];
      if (actions) this[table]?.grant(grantee, ...actions.map((action) => `dynamodb:${action}`));
    }
    if (ACTIONS.quotas[name]) this.keyOfQuotas?.grant(grantee, ...KEY_ACTIONS);
  }
}
