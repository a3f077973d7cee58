import { createServer } from "node:http";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { expect, onTestFinished, test } from "vitest";
import { clientConfig, ifHolds, onQueue, onTable, requestHandler } from "../../shared/adapters/sdk/client.ts";
import { listen, shut } from "../../testing/listen.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };

test.each([
  { why: "both keys", env: KEYS, credentials: { accessKeyId: "id", secretAccessKey: "secret" } },
  {
    why: "both keys and a session token, as in Lambda",
    env: { ...KEYS, AWS_SESSION_TOKEN: "token" },
    credentials: { accessKeyId: "id", secretAccessKey: "secret", sessionToken: "token" },
  },
  { why: "an id alone", env: { AWS_ACCESS_KEY_ID: "id" }, credentials: undefined },
  { why: "a secret alone", env: { AWS_SECRET_ACCESS_KEY: "secret" }, credentials: undefined },
  { why: "an empty secret", env: { ...KEYS, AWS_SECRET_ACCESS_KEY: "" }, credentials: undefined },
  { why: "no keys", env: { AWS_SESSION_TOKEN: "token" }, credentials: undefined },
])("with $why in its variables a function signs with them, or leaves it to the SDK", ({
  env,
  credentials,
}) => {
  const config = clientConfig(env, "SQS");
  if (credentials === undefined) expect(config).not.toHaveProperty("credentials");
  else expect(config).toHaveProperty("credentials", credentials);
});

test.each([
  { env: {}, config: {} },
  { env: { AWS_REGION: "eu-west-1" }, config: { region: "eu-west-1" } },
  { env: { AWS_ENDPOINT_URL: "http://all" }, config: { endpoint: "http://all" } },
  { env: { AWS_ENDPOINT_URL_SQS: "http://sqs" }, config: { endpoint: "http://sqs" } },
  {
    env: { AWS_ENDPOINT_URL_SQS: "http://sqs", AWS_ENDPOINT_URL: "http://all" },
    config: { endpoint: "http://sqs" },
  },
  { env: { AWS_ENDPOINT_URL_DYNAMODB: "http://tables" }, config: {} },
  { env: { AWS_ENDPOINT_URL: "" }, config: {} },
])("the variables $env make a client of SQS at $config", ({ env, config }) => {
  const { cacheMiddleware: _, ...made } = clientConfig(env, "SQS");
  expect(made).toEqual(config);
});

test("a client opens no more connections than it is given, however many calls it makes at once", async () => {
  let connections = 0;
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end('{"TableNames":[]}');
  }).on("connection", () => connections++);
  const client = new DynamoDBClient({
    ...clientConfig({ ...KEYS, AWS_REGION: "eu-west-1", AWS_ENDPOINT_URL: await listen(server) }, "DYNAMODB"),
    requestHandler: requestHandler(10_000, 2),
  });
  onTestFinished(async () => {
    client.destroy();
    await shut(server);
  });
  await Promise.all(Array.from({ length: 8 }, () => client.send(new ListTablesCommand())));
  expect(connections).toBe(2);
});

test.each([
  { timeout: 300, connection: 300 },
  { timeout: 1_000, connection: 1_000 },
  { timeout: 5_000, connection: 1_000 },
])("a call that may take $timeout ms may take $connection ms to connect", ({ timeout, connection }) => {
  const { connectionTimeout, requestTimeout, socketTimeout } = requestHandler(timeout, 1);
  expect({ connectionTimeout, requestTimeout, socketTimeout }).toEqual({
    ...{ connectionTimeout: connection, requestTimeout: timeout, socketTimeout: timeout },
  });
});

test.each([
  { what: "an error", thrown: new Error("no such table"), text: "no such table" },
  { what: "no error", thrown: "gone", text: "gone" },
])("a call that throws $what is a fault that says what failed, with the cause", async ({ thrown, text }) => {
  const fails = () => Promise.reject(thrown);
  await expect(onTable("reading a receipt", fails)).rejects.toMatchObject({
    ...{ code: "TABLE_UNAVAILABLE", message: `reading a receipt failed: ${text}`, cause: thrown },
  });
  await expect(onQueue("backlog not read", fails)).rejects.toMatchObject({
    ...{ code: "QUEUE_UNAVAILABLE", message: `backlog not read: ${text}`, cause: thrown },
  });
});

test("a condition that does not hold is no fault, and anything else is", async () => {
  const failed = Object.assign(new Error("no"), { name: "ConditionalCheckFailedException" });
  expect(await ifHolds(async () => 1)).toBe(true);
  expect(await ifHolds(() => Promise.reject(failed))).toBe(false);
  for (const other of [new Error("busy"), { name: "ConditionalCheckFailedException" }]) {
    await expect(ifHolds(() => Promise.reject(other))).rejects.toBe(other);
  }
});
