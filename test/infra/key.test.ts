import { type CfnElement, Stack } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { Key } from "aws-cdk-lib/aws-kms";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { type ISecret, Secret } from "aws-cdk-lib/aws-secretsmanager";
import { expect, test } from "vitest";
import { Tagwire } from "../../infra/index.ts";
import { FUNCTIONS } from "../../shared/settings/variables.ts";
import { synth, unbundled } from "./support.ts";

interface Statement {
  readonly Action?: string | string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
}

/** What AWS asks of whoever uses a queue, a table or a secret that a customer's key encrypts. */
const MAY = [
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];

test("a customer's key encrypts queues, tables and secret", () => {
  const { template, router, propertiesOf } = synth(
    (stack) => ({
      encryptionKey: new Key(stack, "Key"),
      settings: { userStreams: { seconds: 60, count: 10 } },
    }),
    "eu-central-1",
  );
  const key = { "Fn::GetAtt": [expect.stringMatching(/^Key/), "Arn"] };
  for (const queue of [...Object.values(router.lanes), router.deadLetterQueue]) {
    expect(propertiesOf(queue)).toMatchObject({ KmsMasterKeyId: key });
  }
  const tables = Object.values(router.tables);
  expect(tables).toHaveLength(5);
  for (const table of tables) {
    expect(propertiesOf(table)).toMatchObject({ SSESpecification: { SSEEnabled: true, SSEType: "KMS" } });
    expect(propertiesOf(table)).toMatchObject({ Replicas: [{ SSESpecification: { KMSMasterKeyId: key } }] });
  }
  template.hasResourceProperties("AWS::SecretsManager::Secret", { KmsKeyId: Match.anyValue() });
});

/** A key of one stack, and a router of another one that uses it. */
function apart() {
  const app = unbundled();
  const env = { region: "eu-central-1" };
  const keys = new Stack(app, "Keys", { env });
  const key = new Key(keys, "Key");
  const stack = new Stack(app, "Shop", { env });
  const router = new Tagwire(stack, "Router", { encryptionKey: key });
  return { app, keys, key, stack, router };
}

test("the key may be of another stack, which learns nothing of the router", () => {
  const { app, keys, stack } = apart();
  app.synth();
  expect(stack.dependencies).toEqual([keys]);
  expect(keys.dependencies).toEqual([]);
  const [{ Properties } = expect.fail()] = Object.values(
    Template.fromStack(keys).findResources("AWS::KMS::Key"),
  );
  const statements: Statement[] = Properties.KeyPolicy.Statement;
  // Rights to the key are the account's to give: the roles of the router get them by their own policies.
  expect(statements).toEqual([
    expect.objectContaining({
      Action: "kms:*",
      Principal: {
        AWS: { "Fn::Join": ["", expect.arrayContaining([expect.stringMatching(/:root$/)])] },
      },
    }),
  ]);
});

/** What a function of a router may do with the key of the stack `Keys`. */
function mayWithKey(stack: Stack, { role }: IFunction): readonly string[] {
  const roleId = stack.getLogicalId(role?.node.defaultChild as CfnElement);
  const policies = Object.values(Template.fromStack(stack).findResources("AWS::IAM::Policy"));
  const statements: Statement[] = policies
    .filter(({ Properties }) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === roleId))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
  const ofKey = statements.filter(({ Resource }) => JSON.stringify(Resource).includes("Keys:ExportsOutput"));
  const actions = ofKey.flatMap(({ Action = [] }) => Action).filter((action) => action.startsWith("kms:"));
  return [...new Set(actions)].sort();
}

test.each(FUNCTIONS)("%s may use the key for what it reads and writes, without a star", (name) => {
  const { stack, router } = apart();
  expect(mayWithKey(stack, router.functions[name])).toEqual(MAY);
});

test("a router that shares the quota of another one may use the key of its table where it uses the table", () => {
  const { app, keys, router } = apart();
  const stack = new Stack(app, "Next", { env: { region: "eu-central-1" } });
  const { functions } = new Tagwire(stack, "Router", { quotas: router.tables.quotas });
  const may = Object.fromEntries(FUNCTIONS.map((name) => [name, mayWithKey(stack, functions[name])]));
  expect(may).toEqual({ ingest: MAY, consume: MAY, receipts: [], connections: [], socket: [] });
  expect(keys.dependencies).toEqual([]);
});

/** A router that trusts a secret of another stack, which the key of the stack `Keys` encrypts. */
const trusting = {
  "that somebody made": ({ keys, key }: ReturnType<typeof apart>) =>
    new Secret(keys, "Secret", { encryptionKey: key }),
  "of another router": ({ router }: ReturnType<typeof apart>) => router.secret as ISecret,
};

test.each(
  Object.entries(trusting),
)("functions may read a secret of another stack with its key: one %s", (_, secretOf) => {
  const made = apart();
  const stack = new Stack(made.app, "Next", { env: { region: "eu-central-1" } });
  const secret = secretOf(made) as ISecret;
  const { functions } = new Tagwire(stack, "Router", { auth: { secret } });
  made.app.synth();
  const may = Object.fromEntries(FUNCTIONS.map((name) => [name, mayWithKey(stack, functions[name])]));
  const decrypt = ["kms:Decrypt"];
  expect(may).toEqual({
    ingest: decrypt,
    receipts: decrypt,
    connections: decrypt,
    socket: decrypt,
    consume: [],
  });
  const reads = JSON.stringify(Template.fromStack(stack).toJSON()).split("secretsmanager:GetSecretValue");
  expect(reads).toHaveLength(5);
});
