import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Runtime } from "../../functions/aws/runtime.ts";
import { tableClient } from "../../functions/aws/table-client.ts";
import { queueClient } from "../../functions/aws/wiring.ts";
import { clientConfig } from "../../shared/adapters/sdk/client.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { gateway, refuse } from "./gateway.ts";
import { verified } from "./verify.ts";
import { WAYS } from "./ways.ts";

const SECRETS = { region: "eu-west-3", secretAccessKey: "secret/+=", sessionToken: "session/+==" };
const TRACE =
  "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=0;Lineage=a87bd80c:1|68fd508a:5";
const TIME = { timeoutSeconds: 10 };
const ID = "a+b/c=_-" as ConnectionId;
const FRAME = Buffer.from('{"data":"é🎉"}');

/** A function in Lambda, whose calls all go to an endpoint that verifies them with these secrets. */
async function inLambda(secrets = SECRETS) {
  vi.stubEnv("AWS_LAMBDA_FUNCTION_NAME", "tagwire-consume");
  vi.stubEnv("_X_AMZN_TRACE_ID", TRACE);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { endpoint, seen } = await gateway(
    verified(secrets, (response, _socket, { headers, method }) => {
      const target = headers["x-amz-target"];
      if (target === undefined) return refuse(response, method === "GET" ? 410 : 200);
      const answer = String(target).startsWith("secretsmanager") ? { SecretString: "s" } : {};
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(answer));
    }),
  );
  const runtime: Runtime = {
    env: {
      AWS_REGION: SECRETS.region,
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: SECRETS.secretAccessKey,
      AWS_SESSION_TOKEN: SECRETS.sessionToken,
      AWS_ENDPOINT_URL: new URL(endpoint).origin,
    },
    write: () => {},
    readSecret: async () => undefined,
    clock: { now: Date.now, monotonic: () => performance.now(), pause: async () => {} },
    random: Math.random,
  };
  return { runtime, endpoint, seen };
}

type Call = (runtime: Runtime, endpoint: string) => Promise<unknown>;

const sendsBy = (way: string): Record<string, Call> => {
  const sockets = (runtime: Runtime, endpoint: string) =>
    WAYS[way]?.(runtime, endpoint, { sendTimeoutMilliseconds: 5_000, sendsInFlight: 5 });
  return {
    [`a send by ${way}`]: async (runtime, endpoint) => {
      const result = await sockets(runtime, endpoint)?.send(ID, FRAME);
      if (result?.kind !== "sent") throw new Error(JSON.stringify(result));
    },
    [`a probe by ${way}`]: async (runtime, endpoint) => {
      const state = await sockets(runtime, endpoint)?.probe();
      if (state !== "up") throw new Error(`403: ${state}`);
    },
  };
};

const CALLS: Readonly<Record<string, Call>> = {
  "a call to a queue": (runtime) =>
    queueClient(runtime, TIME).send(
      new SendMessageCommand({ QueueUrl: "https://sqs/1/lane", MessageBody: "é" }),
    ),
  "a read of a table": (runtime) =>
    tableClient(runtime, TIME).send(new GetItemCommand({ TableName: "rows", Key: { id: { S: "é" } } })),
  "a write to a table": (runtime) =>
    tableClient(runtime, TIME).send(new PutItemCommand({ TableName: "rows", Item: { id: { S: "é" } } })),
  "a read of a secret": ({ env }) =>
    new SecretsManagerClient(clientConfig(env, "SECRETS_MANAGER")).send(
      new GetSecretValueCommand({ SecretId: "tokens" }),
    ),
  ...sendsBy("the functions"),
  ...sendsBy("the SDK"),
};

describe.each(Object.entries(CALLS))("in Lambda, %s", (_name, call) => {
  test("is signed as AWS wants it", async () => {
    const { runtime, endpoint, seen } = await inLambda();
    await call(runtime, endpoint);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.headers["x-amz-security-token"]).toBe(SECRETS.sessionToken);
  });

  test("is refused by an endpoint that has another secret or another token", async () => {
    for (const wrong of [{ secretAccessKey: "other" }, { sessionToken: "other" }]) {
      const { runtime, endpoint } = await inLambda({ ...SECRETS, ...wrong });
      await expect(call(runtime, endpoint)).rejects.toThrow(/403|does not match/);
    }
  });
});

test("a frame is signed for each of many connections, and another frame by its own bytes", async () => {
  const { runtime, endpoint, seen } = await inLambda();
  const sockets = WAYS["the functions"]?.(runtime, endpoint, {
    sendTimeoutMilliseconds: 5_000,
    sendsInFlight: 5,
  });
  for (const frame of [FRAME, FRAME, Buffer.from("{}"), FRAME]) {
    expect(await sockets?.send(ID, frame)).toEqual({ kind: "sent" });
  }
  expect(new Set(seen.map(({ headers }) => headers["x-amz-content-sha256"])).size).toBe(2);
});

test("a client of the SDK sends the trace that Lambda gives it, in mixed case: this test is about such a request", async () => {
  const { runtime, seen } = await inLambda();
  await new DynamoDBClient(clientConfig(runtime.env, "DYNAMODB")).send(
    new GetItemCommand({ TableName: "rows", Key: { id: { S: "1" } } }),
  );
  const [name] = seen[0]?.rawHeaders.filter((header) => header.toLowerCase() === "x-amzn-trace-id") ?? [];
  expect(name).toBe("X-Amzn-Trace-Id");
  expect(seen[0]?.headers["x-amzn-trace-id"]).toBe(TRACE);
});
