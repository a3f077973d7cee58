import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { TABLES, type TableDescription, type TableName } from "../../../shared/settings/tables.ts";
import { listen, shut } from "../../listen.ts";
import { CREDENTIALS, REGION } from "./aws.ts";
import { deleteExpired } from "./time-to-live.ts";

export interface Tables {
  readonly endpoint: string;
  readonly names: Readonly<Record<TableName, string>>;
  /** Deletes what has expired at this moment (milliseconds since 1970): dynalite itself never does. */
  expire(now: number): Promise<void>;
  stop(): Promise<void>;
}

/** DynamoDB in memory on the loopback address, with the router's tables. */
export async function startTables(): Promise<Tables> {
  const server = dynalite({ createTableMs: 0 });
  const tables = await createTables(`http://127.0.0.1:${await listen(server)}`);
  return {
    ...tables,
    async stop() {
      await tables.stop();
      await shut(server);
    },
  };
}

/** The router's tables in the DynamoDB of an endpoint. A stop leaves them there. */
export async function createTables(endpoint: string, prefix = "tagwire"): Promise<Tables> {
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  const nameOf = (table: string) => `${prefix}-${table}`;
  await Promise.all(
    Object.entries(TABLES).map(([table, description]) => create(client, nameOf(table), description)),
  );
  return {
    endpoint,
    names: {
      connections: nameOf("connections"),
      subscriptions: nameOf("subscriptions"),
      receipts: nameOf("receipts"),
      quotas: nameOf("quotas"),
      streams: nameOf("streams"),
    },
    async expire(now) {
      for (const [table, description] of Object.entries(TABLES)) {
        await deleteExpired(client, nameOf(table), description, now);
      }
    },
    stop: async () => client.destroy(),
  };
}

/** The call that makes a table of ours. */
export function creation(
  TableName: string,
  { partitionKey, sortKey, sortKeyType = "S" }: TableDescription,
): CreateTableCommand {
  const keys = [partitionKey, ...(sortKey === undefined ? [] : [sortKey])];
  const typeOf = (name: string) => (name === sortKey ? sortKeyType : "S");
  return new CreateTableCommand({
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: keys.map((AttributeName) => ({
      AttributeName,
      AttributeType: typeOf(AttributeName),
    })),
    KeySchema: keys.map((AttributeName, i) => ({ AttributeName, KeyType: i === 0 ? "HASH" : "RANGE" })),
  });
}

async function create(client: DynamoDBClient, TableName: string, description: TableDescription) {
  await client.send(creation(TableName, description));
  let status: string | undefined;
  while (status !== "ACTIVE") {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    status = Table?.TableStatus;
  }
}
