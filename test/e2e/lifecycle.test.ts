import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { expect, inject, test } from "vitest";
import { clientConfig } from "./harness/aws.ts";
import { deploy, destroy, STACK } from "./harness/stack.ts";
import { connect, producer } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";

const router = deployment();
const { endpoint, outputs } = inject("deployed");

test("an update keeps the addresses, the open sockets, their subscriptions and the receipts", async () => {
  const shop = await producer(router, "shop");
  const client = await connect(router, "kim");
  await client.request({ type: "subscribe", topics: ["updates"] });
  const before = await shop.send({ target: { topic: "updates" }, data: "before" });
  expect(await client.message()).toMatchObject({ id: before });

  const lanes = { high: { concurrency: 9 } };
  expect(await deploy(endpoint, { lanes })).toEqual(outputs);

  const after = await shop.send({ target: { topic: "updates" }, data: "after" });
  expect(await client.message()).toMatchObject({ id: after });
  expect(await shop.ended(before)).toMatchObject({ state: "delivered" });
  await client.close();
}, 60_000);

test("cdk destroy leaves nothing", async () => {
  await destroy(endpoint);
  const lambda = new LambdaClient(clientConfig(endpoint));
  const stacks = new CloudFormationClient(clientConfig(endpoint));
  await expect(stacks.send(new DescribeStacksCommand({ StackName: STACK }))).rejects.toThrow(
    "does not exist",
  );
  expect((await router.dynamo.send(new ListTablesCommand())).TableNames).toEqual([]);
  expect((await lambda.send(new ListFunctionsCommand())).Functions).toEqual([]);
}, 60_000);
