import {
  BatchGetItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  QueryCommand,
  ResourceNotFoundException,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/aws.ts";
import { lean } from "../../shared/adapters/aws/lean-client.ts";
import { type Answer, gateway, type Seen } from "./gateway.ts";

const OPTIONS = { timeout: 5_000, connections: 10, now: Date.now };

/** A DynamoDB or SQS that answers as the test says, and clients of both kinds that speak to it. */
async function open(answer: Answer) {
  const { endpoint, seen } = await gateway(answer);
  const config = { endpoint: new URL(endpoint).origin, region: REGION, credentials: CREDENTIALS };
  const clients = {
    tables: { ours: lean(new DynamoDBClient(config), OPTIONS), theirs: new DynamoDBClient(config) },
    queues: {
      ours: lean(new SQSClient({ ...config, md5: false }), OPTIONS),
      theirs: new SQSClient({ ...config, md5: false }),
    },
  };
  onTestFinished(() => {
    for (const { ours, theirs } of Object.values(clients)) {
      ours.destroy();
      theirs.destroy();
    }
  });
  return { ...clients, seen };
}

const reply =
  (body: unknown, status = 200): Answer =>
  (response) =>
    response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));

/** The SDK names itself; our own way does not. */
const isLean = ({ headers }: Seen) => headers["user-agent"] === undefined;

// The SDK drops an attribute named __proto__.
const name = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => text !== "__proto__");
const attribute = fc.oneof(
  name.map((S) => ({ S })),
  fc.integer().map((n) => ({ N: String(n) })),
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.array(name, { minLength: 1, maxLength: 3 }).map((SS) => ({ SS })),
  fc.constant({ NULL: true }),
);
const row = fc.dictionary(name, attribute, { maxKeys: 5 });

const tableCommand = fc.oneof(
  fc.record({ TableName: name, Item: row, ConditionExpression: name }).map((i) => new PutItemCommand(i)),
  fc.record({ TableName: name, Key: row, ConsistentRead: fc.boolean() }).map((i) => new GetItemCommand(i)),
  fc
    .record({
      TableName: name,
      Limit: fc.nat(),
      ExpressionAttributeValues: row,
      ConsistentRead: fc.boolean(),
    })
    .map((i) => new QueryCommand(i)),
  fc
    .record({ TableName: name, Key: row, UpdateExpression: name, ExpressionAttributeValues: row })
    .map((i) => new UpdateItemCommand(i)),
  fc
    .record({
      RequestItems: fc.dictionary(name, fc.record({ Keys: fc.array(row), ConsistentRead: fc.boolean() })),
    })
    .map((i) => new BatchGetItemCommand(i)),
);

const queueCommand = fc.oneof(
  fc
    .record({
      QueueUrl: fc.webUrl(),
      Entries: fc.array(fc.record({ Id: name, MessageBody: name, DelaySeconds: fc.nat() })),
    })
    .map((i) => new SendMessageBatchCommand(i)),
  fc
    .record({ QueueUrl: fc.webUrl(), ReceiptHandle: name, VisibilityTimeout: fc.nat() })
    .map((i) => new ChangeMessageVisibilityCommand(i)),
);

/** Sends a command both ways and compares what was said and what was heard. */
async function compare<C>(pair: Pair<C>, command: C, seen: Seen[]): Promise<void> {
  seen.length = 0;
  const [ours, theirs] = [await pair.ours.send(command), await pair.theirs.send(command)];
  expect({ ...ours, $metadata: {} }).toEqual({ ...theirs, $metadata: {} });
  const [mine, other] = seen;
  expect(seen.map(isLean)).toEqual([true, false]);
  expect(mine?.path).toBe(other?.path);
  expect(JSON.parse(mine?.body ?? "")).toEqual(JSON.parse(other?.body ?? ""));
  for (const header of ["x-amz-target", "content-type", "content-length", "host"]) {
    expect(mine?.headers[header]).toBe(other?.headers[header]);
  }
}

interface Pair<C> {
  readonly ours: { send(command: C): Promise<object> };
  readonly theirs: { send(command: C): Promise<object> };
}

test("a call to a table says and hears what the SDK's own client says and hears", async () => {
  let answer = {};
  const { tables, seen } = await open((...given) => reply(answer)(...given));
  const page = fc.record({ Items: fc.array(row), Count: fc.nat(), LastEvaluatedKey: row });
  await fc.assert(
    fc.asyncProperty(tableCommand, page, async (command, told) => {
      answer = command instanceof QueryCommand ? told : {};
      await compare(tables as Pair<typeof command>, command, seen);
    }),
    { numRuns: 150 },
  );
});

test("a call to a queue says and hears what the SDK's own client says and hears", async () => {
  const { queues, seen } = await open(reply({ Successful: [{ Id: "0", MessageId: "m" }], Failed: [] }));
  await fc.assert(
    fc.asyncProperty(queueCommand, (command) => compare(queues as Pair<typeof command>, command, seen)),
    { numRuns: 100 },
  );
});

const NOTHING: Seen = { path: "", headers: {}, body: "" };
const PUT = new PutItemCommand({ TableName: "t", Item: { key: { S: "é" } } });

test("a call is signed as @smithy/signature-v4 signs it", async () => {
  const { tables, seen } = await open(reply({}));
  await tables.ours.send(PUT);
  const [{ headers, body } = NOTHING] = seen;
  const { authorization = "" } = headers;
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? [];
  const library = new SignatureV4({
    service: "dynamodb",
    region: REGION,
    credentials: CREDENTIALS,
    sha256: tables.theirs.config.sha256,
    applyChecksum: false,
  });
  const signed = await library.sign(
    {
      method: "POST",
      protocol: "http:",
      hostname: "127.0.0.1",
      path: "/",
      headers: Object.fromEntries(names.map((each) => [each, String(headers[each])])),
      body,
    },
    { signingDate: dateOf(headers["x-amz-date"]) },
  );
  expect(authorization).toBe(signed.headers["authorization"]);
  expect(names).toEqual(["content-type", "host", "x-amz-date", "x-amz-target"]);
});

test("a condition that does not hold is told by the SDK's name, and asked about once", async () => {
  const { tables, seen } = await open(
    reply(
      {
        __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        message: "The conditional request failed",
      },
      400,
    ),
  );
  const fault = {
    name: "ConditionalCheckFailedException",
    message: "The conditional request failed",
    $fault: "client",
    $metadata: { httpStatusCode: 400 },
  };
  await expect(tables.ours.send(PUT)).rejects.toMatchObject(fault);
  await expect(tables.theirs.send(PUT)).rejects.toMatchObject(fault);
  expect(seen.map(isLean)).toEqual([true, false]);
});

test.each<{ why: string; first: Answer }>([
  { why: "is throttled", first: reply({ __type: "x#ProvisionedThroughputExceededException" }, 400) },
  { why: "meets a fault", first: reply({ __type: "x#InternalServerError" }, 500) },
  { why: "has a signature that is refused", first: reply({ __type: "x#InvalidSignatureException" }, 400) },
  { why: "has credentials that have expired", first: reply({ __type: "x#ExpiredTokenException" }, 400) },
  { why: "gets no JSON", first: (response) => response.writeHead(200).end("<html>") },
  { why: "gets no answer", first: (_, socket) => socket.destroy() },
])("a call that $why is made over by the SDK's client", async ({ first }) => {
  let calls = 0;
  const { tables, seen } = await open((...given) =>
    (calls++ === 0 ? first : reply({ Attributes: {} }))(...given),
  );
  expect(await tables.ours.send(PUT)).toMatchObject({ Attributes: {} });
  expect(seen.map(isLean)).toEqual([true, false]);
  await tables.ours.send(PUT);
  expect(seen.map(isLean)).toEqual([true, false, true]);
});

test("a fault that stays is the SDK's own", async () => {
  const { tables } = await open(
    reply({ __type: "x#ResourceNotFoundException", message: "no such table" }, 400),
  );
  await expect(tables.ours.send(PUT)).rejects.toBeInstanceOf(ResourceNotFoundException);
});

test("a clock that the SDK's client has corrected is right for every call after", async () => {
  const ahead = 3_600_000;
  const date = { date: new Date(Date.now() + ahead).toUTCString() };
  const { tables, seen } = await open((response, _, { headers }) => {
    const right = Math.abs(dateOf(headers["x-amz-date"]).getTime() - Date.now() - ahead) < 300_000;
    const body = right ? {} : { __type: "x#InvalidSignatureException" };
    response.writeHead(right ? 200 : 400, date).end(JSON.stringify(body));
  });
  await tables.ours.send(PUT);
  seen.length = 0;
  await tables.ours.send(PUT);
  expect(seen.map(isLean)).toEqual([true]);
});

test("pages are read through it too", async () => {
  const { tables, seen } = await open((response, socket, request) => {
    const more = request.body.includes("ExclusiveStartKey") ? {} : { LastEvaluatedKey: { key: { S: "a" } } };
    reply({ Items: [{}], ...more })(response, socket, request);
  });
  let pages = 0;
  for await (const { Items } of paginateQuery({ client: tables.ours }, { TableName: "t" })) {
    pages += Items?.length ?? 0;
  }
  expect(pages).toBe(2);
  expect(seen.map(isLean)).toEqual([true, true]);
});

const dateOf = (header: unknown): Date =>
  new Date(String(header).replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5"));
