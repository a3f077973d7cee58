import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Streams } from "../../ports.ts";
import { ROOT } from "../../streams/row.ts";
import type { StreamName, StreamRow } from "../../streams/stream.ts";
import { ifHolds, onTable } from "../sdk/client.ts";

type Item = Record<string, AttributeValue>;

/** The version that rows are written with. */
const VERSION = "1";

const KEYS = { "#stream": "stream", "#seq": "seq" };
const IS_ABSENT = "attribute_not_exists(#seq)";

/** Streams as a DynamoDB table: partition key `stream`, sort key `seq`, a number. */
export function dynamoStreams(client: DynamoDBClient, table: string): Streams {
  const get = async (stream: StreamName, seq: number): Promise<StreamRow | undefined> => {
    const Key = { stream: { S: stream }, seq: number(seq) };
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item && fromItem(Item);
  };
  return {
    last: (stream) =>
      onTable("reading the head of a stream", async () => {
        const { Items: [item] = [] } = await client.send(
          new QueryCommand({
            TableName: table,
            ConsistentRead: true,
            ScanIndexForward: false,
            Limit: 1,
            KeyConditionExpression: "#stream = :stream",
            ExpressionAttributeNames: { "#stream": "stream" },
            ExpressionAttributeValues: { ":stream": { S: stream } },
          }),
        );
        return item && fromItem(item);
      }),
    root: (stream) => onTable("reading the root of a stream", () => get(stream, ROOT)),
    read: (stream, from, to) =>
      onTable("reading a stream", async () => {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: table,
            ConsistentRead: true,
            KeyConditionExpression: "#stream = :stream AND #seq BETWEEN :from AND :to",
            ExpressionAttributeNames: KEYS,
            ExpressionAttributeValues: {
              ":stream": { S: stream },
              ":from": number(from),
              ":to": number(to),
            },
          }),
        );
        return { rows: Items.map(fromItem), isComplete: LastEvaluatedKey === undefined };
      }),
    append: (stream, row) =>
      onTable("appending to a stream", async () => {
        try {
          await client.send(
            new PutItemCommand({
              TableName: table,
              Item: toItem(stream, row),
              ConditionExpression: IS_ABSENT,
              ExpressionAttributeNames: { "#seq": "seq" },
              ReturnValuesOnConditionCheckFailure: "ALL_OLD",
            }),
          );
          return undefined;
        } catch (fault) {
          if (!(fault instanceof ConditionalCheckFailedException)) throw fault;
          // dynalite does not return the row.
          return fault.Item ? fromItem(fault.Item) : await get(stream, row.seq);
        }
      }),
    start: (stream, root, seen) =>
      onTable("starting a stream", () =>
        ifHolds(() =>
          client.send(
            new PutItemCommand({
              TableName: table,
              Item: toItem(stream, root),
              ...(seen === undefined
                ? { ConditionExpression: IS_ABSENT, ExpressionAttributeNames: { "#seq": "seq" } }
                : {
                    ConditionExpression: `${IS_ABSENT} OR #next = :seen`,
                    ExpressionAttributeNames: { "#seq": "seq", "#next": "next" },
                    ExpressionAttributeValues: { ":seen": number(seen) },
                  }),
            }),
          ),
        ),
      ),
    empty: (stream, { seq, index, run }) =>
      onTable("emptying a message of a stream", () =>
        ifHolds(() =>
          client.send(
            new UpdateItemCommand({
              TableName: table,
              Key: { stream: { S: stream }, seq: number(seq) },
              UpdateExpression: `SET #messages[${index}] = :empty`,
              // Without the second condition an index past the end would add a message.
              ConditionExpression: `#run = :run AND attribute_exists(#messages[${index}])`,
              ExpressionAttributeNames: { "#messages": "messages", "#run": "run" },
              ExpressionAttributeValues: { ":run": { S: run }, ":empty": { S: "" } },
            }),
          ),
        ),
      ),
  };
}

const number = (value: number): AttributeValue => ({ N: String(value) });

const toItem = (stream: StreamName, { expiresAt, ...row }: StreamRow): Item => ({
  stream: { S: stream },
  seq: number(row.seq),
  next: number(row.next),
  messages: { L: row.messages.map((message) => ({ S: message })) },
  ...(row.run === undefined ? {} : { run: { S: row.run } }),
  at: number(row.at),
  until: number(row.until),
  ttl: number(expiresAt / 1000),
  v: { N: VERSION },
});

const fromItem = ({ seq, next, messages, run, at, until, ttl }: Item): StreamRow => ({
  seq: Number(seq?.N),
  next: Number(next?.N),
  messages: messages?.L?.map(({ S = "" }) => S) ?? [],
  ...(run?.S === undefined ? {} : { run: run.S }),
  at: Number(at?.N),
  until: Number(until?.N),
  expiresAt: Number(ttl?.N) * 1000,
});
