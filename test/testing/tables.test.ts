import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { startTables, type Tables } from "../../local/twin/emulators/table.ts";
import { type Layer, startFront } from "../../testing/front.ts";
import { stale } from "../../testing/tables/stale.ts";
import { throttle } from "../../testing/tables/throttle.ts";
import { timeToLive } from "../../testing/tables/time-to-live.ts";
import { unprocessed } from "../../testing/tables/unprocessed.ts";
import { type Upstream, upstream } from "../../testing/upstream.ts";

let tables: Tables;
let behind: Upstream;
beforeAll(async () => {
  tables = await startTables();
  behind = upstream(tables.endpoint);
});
afterAll(async () => {
  behind.stop();
  await tables.stop();
});

const NOW = 1_800_000_000_000;
const clock = (now = NOW) => {
  const time = { now, read: () => time.now };
  return time;
};

/** A client that tries once, so that it tells what it was answered. */
async function through(...layers: Layer[]): Promise<DynamoDBClient> {
  const front = await startFront(layers, behind.call);
  const client = new DynamoDBClient({
    ...{ endpoint: front.url, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 },
  });
  onTestFinished(async () => {
    client.destroy();
    await front.stop();
  });
  return client;
}

const row = (key: string, fields: object = {}) => ({ tag: { S: "t" }, key: { S: key }, ...fields });
const put = (key: string, fields: object = {}) =>
  new PutItemCommand({ TableName: tables.names.subscriptions, Item: row(key, fields) });

test("a read that does not ask for consistency sees a write, a change and a delete only after a while", async () => {
  const time = clock();
  const client = await through(stale({ milliseconds: 100, now: time.read, call: behind.call }));
  const TableName = tables.names.subscriptions;
  const get = async (ConsistentRead: boolean) =>
    (await client.send(new GetItemCommand({ TableName, Key: row("stale"), ConsistentRead }))).Item?.["n"]?.N;
  const query = async () => {
    const values = { ":tag": { S: "t" }, ":key": { S: "stale" } };
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "tag = :tag AND #key = :key",
        ExpressionAttributeNames: { "#key": "key" },
        ExpressionAttributeValues: values,
      }),
    );
    return Items.map((item) => item["n"]?.N);
  };
  const seen = async () => [await get(true), await get(false), ...(await query())];
  await client.send(put("stale", { n: { N: "1" } }));
  expect(await seen()).toEqual(["1", undefined]);
  time.now += 100;
  expect(await seen()).toEqual(["1", "1", "1"]);
  await client.send(
    new UpdateItemCommand({
      ...{ TableName, Key: row("stale"), UpdateExpression: "SET n = :two" },
      ExpressionAttributeValues: { ":two": { N: "2" } },
    }),
  );
  time.now += 50;
  await client.send(new DeleteItemCommand({ TableName, Key: row("stale") }));
  time.now += 50;
  expect(await seen()).toEqual([undefined, "2", "2"]);
  time.now += 50;
  expect(await seen()).toEqual([undefined, undefined]);
});

test("a throttle refuses every call until it is over", async () => {
  const time = clock();
  const brake = throttle(time.read);
  const client = await through(brake.layer);
  await client.send(put("a"));
  brake.start(50);
  time.now += 49;
  await expect(client.send(put("b"))).rejects.toMatchObject({
    name: "ProvisionedThroughputExceededException",
  });
  time.now += 1;
  await client.send(put("b"));
  expect(brake.refused()).toBe(1);
});

test("a part of a batch comes back until its time is over; a batch without any other part is refused", async () => {
  const time = clock();
  const draws = [0.1, 0.9, 0.9];
  const random = () => draws.shift() ?? 0.9;
  const client = await through(unprocessed({ milliseconds: 50, share: 0.5, now: time.read, random }));
  const write = (...keys: string[]) =>
    client.send(
      new BatchWriteItemCommand({
        RequestItems: {
          [tables.names.subscriptions]: keys.map((key) => ({ PutRequest: { Item: row(key) } })),
        },
      }),
    );
  const { UnprocessedItems } = await write("late", "soon", "also");
  expect(UnprocessedItems).toEqual({ [tables.names.subscriptions]: [{ PutRequest: { Item: row("late") } }] });
  await expect(write("late")).rejects.toMatchObject({ name: "ProvisionedThroughputExceededException" });
  time.now += 50;
  expect((await write("late")).UnprocessedItems).toEqual({});
});

test.each([
  { ttl: { N: "1800000000" }, is: "now", sound: true },
  { ttl: { N: String(1_800_000_000 + 400 * 86_400) }, is: "400 days ahead", sound: true },
  { ttl: { N: String(1_800_000_000_000) }, is: "milliseconds", sound: false },
  { ttl: { N: String(1_800_000_000 - 3_600) }, is: "an hour ago", sound: false },
  { ttl: { S: "1800000000" }, is: "a text", sound: false },
  { ttl: undefined, is: "absent", sound: false },
])("a row whose time to live is $is is taken: $sound", async ({ ttl, sound }) => {
  const TableName = tables.names.subscriptions;
  const client = await through(timeToLive({ attributes: { [TableName]: "ttl" }, now: () => NOW }));
  const fields = ttl ? { ttl } : {};
  const writes = [
    client.send(put("x", fields)),
    client.send(
      new BatchWriteItemCommand({
        RequestItems: { [TableName]: [{ PutRequest: { Item: row("y", fields) } }] },
      }),
    ),
    client.send(
      new UpdateItemCommand({
        ...{ TableName, Key: row("z"), UpdateExpression: "SET #t = :ttl, n = :ttl" },
        ...{ ExpressionAttributeNames: { "#t": ttl ? "ttl" : "m" } },
        ExpressionAttributeValues: { ":ttl": ttl ?? { N: "1" } },
      }),
    ),
  ];
  const outcomes = (await Promise.allSettled(writes)).map(({ status }) => status === "fulfilled");
  // An update that leaves the attribute alone is none of its business.
  expect(outcomes).toEqual([sound, sound, ttl === undefined || sound]);
});
