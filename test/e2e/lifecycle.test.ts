import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { ListSecretsCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, inject, test } from "vitest";
import { clientConfig } from "./harness/aws.ts";
import { deploy, destroy, SETTINGS, STACK } from "./harness/stack.ts";
import { connect, producer } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";

const { endpoint, outputs } = inject("deployed");
const config = clientConfig(endpoint);
const queues = new SQSClient({ ...config, useQueueUrlAsEndpoint: false });

/** The CDK CLI takes some ten seconds by itself, and several times that on a busy machine. */
const CDK = 180_000;

test(
  "an update keeps addresses, open sockets, subscriptions, receipts and what is queued",
  async () => {
    const router = deployment();
    const shop = await producer(router, "shop");
    const client = await connect(router, "kim");
    await client.request({ type: "subscribe", topics: ["updates"] });
    const before = await shop.send({ target: { topic: "updates" }, data: "before" });
    expect(await client.message()).toMatchObject({ id: before });
    await shop.send({ target: { topic: "updates" }, data: "later", priority: "low", delaySeconds: 900 });

    const changed = { ...SETTINGS, lanes: { high: { concurrency: 9 } } };
    expect(await deploy(endpoint, changed)).toEqual(outputs);

    const after = await shop.send({ target: { topic: "updates" }, data: "after" });
    expect(await client.message()).toMatchObject({ id: after });
    expect(await shop.ended(before)).toMatchObject({ state: "delivered" });
    expect(await delayedIn(outputs["LowQueueUrl"] ?? "")).toBe(1);
    await client.close();
  },
  CDK,
);

test(
  "cdk destroy leaves nothing",
  async () => {
    const all = { tables: 5, queues: 7, functions: 5, secrets: 1 };
    expect(await left()).toEqual(all);
    await destroy(endpoint);
    expect(await left()).toEqual({ tables: 0, queues: 0, functions: 0, secrets: 0 });
    const stacks = new CloudFormationClient(config);
    await expect(stacks.send(new DescribeStacksCommand({ StackName: STACK }))).rejects.toThrow(
      "does not exist",
    );
  },
  CDK,
);

/** How much there is of the stack. */
async function left() {
  const ours = (names: readonly (string | undefined)[] = []) =>
    names.filter((name) => name?.includes(STACK)).length;
  const [tables, list, functions, secrets] = await Promise.all([
    new DynamoDBClient(config).send(new ListTablesCommand()),
    queues.send(new ListQueuesCommand()),
    new LambdaClient(config).send(new ListFunctionsCommand()),
    new SecretsManagerClient(config).send(new ListSecretsCommand()),
  ]);
  return {
    tables: ours(tables.TableNames),
    queues: ours(list.QueueUrls),
    functions: ours(functions.Functions?.map(({ FunctionName }) => FunctionName)),
    secrets: ours(secrets.SecretList?.map(({ Name }) => Name)),
  };
}

async function delayedIn(QueueUrl: string): Promise<number> {
  const { Attributes } = await queues.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessagesDelayed"] }),
  );
  return Number(Attributes?.["ApproximateNumberOfMessagesDelayed"]);
}
