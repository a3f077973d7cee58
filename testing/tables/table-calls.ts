import type { Call } from "../front.ts";
import { outputOf } from "../json.ts";

/** Names of the attributes of a key. */
export type KeySchema = readonly string[];
export type Key = Readonly<Record<string, unknown>>;

export interface TableCalls {
  /** Makes an empty table with the key of another one, and returns that. */
  copySchema(from: string, to: string): Promise<KeySchema>;
  read(table: string, key: Key): Promise<Key | undefined>;
  /** Puts an item, or deletes it if there is none. */
  write(table: string, key: Key, item: Key | undefined): Promise<void>;
}

/** The attributes of an item that are its key. */
export const keyOf = (item: Key, schema: KeySchema): Key =>
  Object.fromEntries(schema.map((name) => [name, item[name]]));

interface Described {
  readonly Table: {
    readonly AttributeDefinitions: readonly unknown[];
    readonly KeySchema: readonly { readonly AttributeName: string }[];
    readonly TableStatus: string;
  };
}

/** What a front itself asks of the tables behind it. Throws for any refusal. */
export function tableCalls(call: Call): TableCalls {
  const run = async <T>(operation: string, input: unknown): Promise<T> => {
    const response = await call({
      method: "POST",
      path: "/",
      headers: {
        host: "localhost",
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `DynamoDB_20120810.${operation}`,
        // Tables in memory want a signature and do not look at it.
        authorization: `AWS4-HMAC-SHA256 Credential=front/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`,
        "x-amz-date": "20260101T000000Z",
      },
      body: Buffer.from(JSON.stringify(input)),
    });
    if (response.status !== 200) throw new Error(`${operation} failed: ${response.body}`);
    return outputOf<T>(response);
  };
  const describe = (TableName: string) => run<Described>("DescribeTable", { TableName });
  return {
    async copySchema(from, to) {
      const { AttributeDefinitions, KeySchema } = (await describe(from)).Table;
      await run("CreateTable", {
        TableName: to,
        AttributeDefinitions,
        KeySchema,
        BillingMode: "PAY_PER_REQUEST",
      });
      while ((await describe(to)).Table.TableStatus !== "ACTIVE");
      return KeySchema.map(({ AttributeName }) => AttributeName);
    },
    async read(TableName, Key) {
      return (await run<{ Item?: Key }>("GetItem", { TableName, Key, ConsistentRead: true })).Item;
    },
    async write(TableName, Key, Item) {
      if (Item === undefined) await run("DeleteItem", { TableName, Key });
      else await run("PutItem", { TableName, Item });
    },
  };
}
