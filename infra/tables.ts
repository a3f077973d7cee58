import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, Billing, type ITable, TableEncryptionV2, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { TABLES, type TableDescription, type TableName } from "../shared/settings/tables.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import { pascalCase } from "./name.ts";

export interface TablesProps {
  /** What becomes of the receipts when the stack goes. */
  readonly removalPolicy: RemovalPolicy;
  /** @default keys that AWS owns */
  readonly encryptionKey?: IKey;
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
};

/** Who is connected, who wants what, and what became of each message. */
export class Tables extends Construct {
  readonly connections: ITable;
  readonly subscriptions: ITable;
  readonly receipts: ITable;

  constructor(scope: Construct, id: string, { removalPolicy, encryptionKey }: TablesProps) {
    super(scope, id);
    const table = (name: TableName, removal: RemovalPolicy): ITable => {
      const { partitionKey, sortKey, timeToLive }: TableDescription = TABLES[name];
      const made = new TableV2(this, pascalCase(name), {
        partitionKey: { name: partitionKey, type: AttributeType.STRING },
        ...(sortKey ? { sortKey: { name: sortKey, type: AttributeType.STRING } } : {}),
        timeToLiveAttribute: timeToLive,
        billing: Billing.onDemand(),
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
        encryption: encryptionKey
          ? TableEncryptionV2.customerManagedKey(encryptionKey)
          : TableEncryptionV2.dynamoOwnedKey(),
        removalPolicy: removal,
      });
      // CDK is not written for exactOptionalPropertyTypes.
      return made as ITable;
    };
    // Without the sockets of this stack these two say nothing.
    this.connections = table("connections", RemovalPolicy.DESTROY);
    this.subscriptions = table("subscriptions", RemovalPolicy.DESTROY);
    this.receipts = table("receipts", removalPolicy);
  }

  /** Lets a function do what ACTIONS says of it. */
  grant(name: FunctionName, grantee: LambdaFunction): void {
    for (const table of Object.keys(TABLES) as TableName[]) {
      const actions = ACTIONS[table][name];
      if (actions) this[table].grant(grantee, ...actions.map((action) => `dynamodb:${action}`));
    }
  }
}
