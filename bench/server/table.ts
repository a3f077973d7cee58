import { createServer, request } from "node:http";
import { BatchWriteItemCommand, DynamoDBClient, type WriteRequest } from "@aws-sdk/client-dynamodb";
import { listen } from "../../local/listen.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { startTables, type Tables } from "../../local/twin/emulators/table.ts";
import { sortKey } from "../../shared/receipts/hash-range.ts";
import { serveParent } from "../child.ts";

export interface TableReady {
  readonly endpoint: string;
  /** The same tables, where the units of each call are counted; slower. */
  readonly countedAt: string;
  readonly names: Tables["names"];
}

/** Capacity units as DynamoDB counts them for on-demand tables. */
export interface Units {
  readonly read: number;
  readonly write: number;
}

export type TableQuestion =
  | { readonly ask: "units" }
  | { readonly ask: "fill"; readonly tag: string; readonly connections: readonly string[] };

const READS = new Set(["Query", "GetItem", "BatchGetItem"]);

const { endpoint, names } = await startTables();
let units: Units = { read: 0, write: 0 };

/** Asks the tables what each call consumed, and removes that from the response. */
const counter = createServer(async (incoming, response) => {
  const operation = String(incoming.headers["x-amz-target"]).split(".")[1] ?? "";
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const input = JSON.parse(Buffer.concat(chunks).toString());
  const body = JSON.stringify({ ...input, ReturnConsumedCapacity: "TOTAL" });
  const headers = { ...incoming.headers, "content-length": String(Buffer.byteLength(body)) };
  const passed = request(endpoint, { method: "POST", headers }, async (answer) => {
    let text = "";
    for await (const chunk of answer) text += chunk;
    const { ConsumedCapacity, ...rest } = JSON.parse(text);
    for (const { CapacityUnits = 0 } of [ConsumedCapacity ?? []].flat()) {
      units = READS.has(operation)
        ? { ...units, read: units.read + CapacityUnits }
        : { ...units, write: units.write + CapacityUnits };
    }
    response
      .writeHead(answer.statusCode ?? 500, { "content-type": "application/x-amz-json-1.0" })
      .end(JSON.stringify(rest));
  });
  passed.end(body);
});

async function fill(tag: string, connections: readonly string[]): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  const ttl = { N: String(Math.floor(Date.now() / 1000) + 7_200) };
  const puts = connections.map(
    (id): WriteRequest => ({
      PutRequest: { Item: { tag: { S: tag }, key: { S: sortKey(id) }, connectedAt: { N: "1" }, ttl } },
    }),
  );
  for (let at = 0; at < puts.length; at += 25) {
    const RequestItems = { [names.subscriptions]: puts.slice(at, at + 25) };
    await client.send(new BatchWriteItemCommand({ RequestItems }));
  }
  client.destroy();
}

/** The tables in memory. Fills a tag's list when asked, and tells how many units were consumed so far. */
serveParent<TableReady, TableQuestion, Units>(
  { endpoint, countedAt: `http://127.0.0.1:${await listen(counter)}`, names },
  async (question) => {
    if (question.ask === "fill") await fill(question.tag, question.connections);
    return units;
  },
);
