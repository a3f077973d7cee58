import type { IConstruct } from "constructs";
import { describe, expect, test } from "vitest";
import { FANOUT_LANES, LANES } from "../../shared/protocol/lane.ts";
import { FUNCTIONS, type FunctionName } from "../../shared/settings/variables.ts";
import { synth } from "./support.ts";

/** All that each function may do, and to what. */
const MAY: Readonly<Record<FunctionName, readonly string[]>> = {
  ingest: [
    "dynamodb:GetItem quotas",
    "secretsmanager:DescribeSecret secret",
    "secretsmanager:GetSecretValue secret",
    "sqs:GetQueueAttributes fanout-high",
    "sqs:GetQueueAttributes fanout-low",
    "sqs:GetQueueAttributes fanout-normal",
    "sqs:GetQueueAttributes high",
    "sqs:GetQueueAttributes low",
    "sqs:GetQueueAttributes normal",
    "sqs:SendMessage high",
    "sqs:SendMessage low",
    "sqs:SendMessage normal",
  ],
  receipts: [
    "dynamodb:GetItem receipts",
    "dynamodb:Query receipts",
    "dynamodb:UpdateItem receipts",
    "secretsmanager:DescribeSecret secret",
    "secretsmanager:GetSecretValue secret",
  ],
  connections: [
    "dynamodb:DeleteItem connections",
    "dynamodb:DeleteItem subscriptions",
    "dynamodb:GetItem connections",
    "dynamodb:Query subscriptions",
    "execute-api:ManageConnections DELETE/@connections/*",
    "secretsmanager:DescribeSecret secret",
    "secretsmanager:GetSecretValue secret",
  ],
  consume: [
    "dynamodb:BatchGetItem subscriptions",
    "dynamodb:DeleteItem connections",
    "dynamodb:DeleteItem subscriptions",
    "dynamodb:GetItem connections",
    "dynamodb:GetItem receipts",
    "dynamodb:PutItem receipts",
    "dynamodb:Query receipts",
    "dynamodb:Query subscriptions",
    "dynamodb:UpdateItem quotas",
    "dynamodb:UpdateItem receipts",
    "execute-api:ManageConnections GET/@connections/*",
    "execute-api:ManageConnections POST/@connections/*",
    ...LANES.flatMap((lane) =>
      ["ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage"].map(
        (action) => `sqs:${action} ${lane}`,
      ),
    ),
    "sqs:SendMessage deadLetters",
    ...FANOUT_LANES.map((lane) => `sqs:SendMessage ${lane}`),
  ],
  socket: [
    "dynamodb:BatchWriteItem subscriptions",
    "dynamodb:DeleteItem connections",
    "dynamodb:DeleteItem subscriptions",
    "dynamodb:GetItem connections",
    "dynamodb:PutItem connections",
    "dynamodb:UpdateItem connections",
    "execute-api:ManageConnections DELETE/@connections/*",
    "execute-api:ManageConnections POST/@connections/*",
    "secretsmanager:DescribeSecret secret",
    "secretsmanager:GetSecretValue secret",
  ],
};
const LOGS = ["logs:CreateLogStream log", "logs:PutLogEvents log"];

const list = (value: string | readonly string[]) => [value].flat();

/** All that the roles of a router's functions may do, in the words of MAY. */
function grantsIn({ template, router, idOf }: ReturnType<typeof synth>): Record<string, string[]> {
  const { lanes, deadLetterQueue: deadLetters, tables, secret } = router;
  const resources: Record<string, IConstruct | undefined> = { ...lanes, deadLetters, ...tables, secret };
  const names = new Map(
    Object.entries(resources).map(([name, resource]) => [resource ? idOf(resource) : "", name] as const),
  );
  const nameOf = (resource: unknown): string => {
    const text = JSON.stringify(resource);
    const [, id = ""] = /^\{"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/.exec(text) ?? [];
    return (
      names.get(id) ??
      (id.includes("Log") ? "log" : (/(?:DELETE|GET|POST)\/@connections\/\*/.exec(text)?.[0] ?? text))
    );
  };
  const policies = Object.values(template.findResources("AWS::IAM::Policy")).map((it) => it["Properties"]);
  const grants = Object.entries(router.functions).map(([name, { role }]) => {
    const holds = ({ Roles }: { Roles: { Ref: string }[] }) =>
      Roles.some(({ Ref }) => role && Ref === idOf(role));
    const may = policies
      .filter(holds)
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .flatMap(({ Action, Resource }) =>
        list(Action).flatMap((action) => [Resource].flat().map((it) => `${action} ${nameOf(it)}`)),
      );
    return [name, [...new Set(may)].sort()];
  });
  return Object.fromEntries(grants);
}

/** What they may do besides, if streams are kept. */
const STREAMS: Readonly<Partial<Record<FunctionName, readonly string[]>>> = {
  consume: ["GetItem", "PutItem", "Query", "UpdateItem"].map((action) => `dynamodb:${action} streams`),
  socket: ["GetItem", "PutItem", "Query"].map((action) => `dynamodb:${action} streams`),
  receipts: ["GetItem", "PutItem", "Query"].map((action) => `dynamodb:${action} streams`),
};

describe("with streams", () => {
  const grants = grantsIn(synth({ settings: { userStreams: { seconds: 60, count: 10 } } }));

  test.each(FUNCTIONS)("%s may do what it does, and nothing else", (name) => {
    expect(grants[name]).toEqual([...MAY[name], ...(STREAMS[name] ?? []), ...LOGS].sort());
  });
});

describe("as it comes", () => {
  const grants = grantsIn(synth());

  test.each(FUNCTIONS)("%s may do what it does, and nothing else", (name) => {
    expect(grants[name]).toEqual([...MAY[name], ...LOGS].sort());
  });
});

test("no role holds a policy that AWS wrote for everybody", () => {
  for (const { Properties } of Object.values(synth().template.findResources("AWS::IAM::Role"))) {
    expect(Properties).not.toHaveProperty("ManagedPolicyArns");
  }
});
