import { App, RemovalPolicy, Stack } from "aws-cdk-lib";
import { Match } from "aws-cdk-lib/assertions";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Topic } from "aws-cdk-lib/aws-sns";
import { expect, test } from "vitest";
import { Tagwire } from "../../infra/index.ts";
import { readSettings } from "../../shared/settings/former.ts";
import { FORMER_QUEUE_URL } from "../../shared/settings/queues.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { ENV, FUNCTIONS, QUOTA_ENV } from "../../shared/settings/variables.ts";
import { synth } from "./support.ts";

const { template, router, idOf, propertiesOf, variablesOf } = synth();
const functions = router.functions;

test.each(FUNCTIONS)("%s gets the variables it reads and no others", (name) => {
  // Those that write to lanes keep the variable that code of the last release reads, for as long as an update takes.
  const ofLanes = name === "ingest" || name === "consume" ? [FORMER_QUEUE_URL, QUOTA_ENV] : [];
  const read = [...ENV[name], ...ofLanes];
  expect(Object.keys(variablesOf(functions[name])).sort()).toEqual([...read].sort());
});

test.each(
  FUNCTIONS,
)("%s has the memory and time of the description, on the newest Node and arm64", (name) => {
  const { memoryMegabytes, timeoutSeconds } = DEFAULTS.advanced.functions[name];
  expect(propertiesOf(functions[name])).toMatchObject({
    Runtime: "nodejs24.x",
    Architectures: ["arm64"],
    MemorySize: memoryMegabytes,
    Timeout: timeoutSeconds,
  });
});

test("the functions read the very settings that the stack is made of", () => {
  const changed = synth({ settings: { receiptRetentionDays: 30 } });
  const { SETTINGS } = changed.variablesOf(changed.router.functions.consume);
  expect(readSettings(String(SETTINGS))).toEqual({ ...DEFAULTS, receiptRetentionDays: 30 });
});

test("every log is kept for a month", () => {
  const logs = Object.values(template.findResources("AWS::Logs::LogGroup"));
  expect(logs.map(({ Properties }) => Properties.RetentionInDays)).toEqual(
    Array<number>(FUNCTIONS.length + 2).fill(30),
  );
});

test("every log, that of the requests too, is kept as long as you say", () => {
  const { template } = synth({ logRetention: RetentionDays.ONE_WEEK });
  const logs = Object.values(template.findResources("AWS::Logs::LogGroup"));
  expect(logs.map(({ Properties }) => Properties.RetentionInDays)).toEqual(
    Array<number>(FUNCTIONS.length + 2).fill(7),
  );
});

test("the token secret is made at random, and the functions know where it is, not what it is", () => {
  template.hasResourceProperties("AWS::SecretsManager::Secret", {
    GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
  });
  const secretId = router.secret ? idOf(router.secret) : "";
  for (const name of ["ingest", "receipts", "connections", "socket"] as const) {
    expect(variablesOf(functions[name])["TOKENS"]).toEqual({
      "Fn::Join": ["", ['{"secretId":"', { Ref: secretId }, '"}']],
    });
  }
  expect(JSON.stringify(template.toJSON())).not.toContain("resolve:secretsmanager");
});

test.each([
  { why: "where it is told so", props: { removalPolicy: RemovalPolicy.DESTROY } },
  { why: "on an emulator", props: { emulator: { endpoint: "http://127.0.0.1:4566" } } },
])("nothing outlives the stack $why", ({ props }) => {
  const resources: Record<string, { DeletionPolicy?: string }> = synth(props).template.toJSON().Resources;
  const kept = Object.keys(resources).filter((id) => resources[id]?.DeletionPolicy?.startsWith("Retain"));
  expect(kept).toEqual([]);
});

test("what outlives the stack is not left behind by a first deploy that fails", () => {
  const resources: Record<string, { Type: string; DeletionPolicy?: string; UpdateReplacePolicy?: string }> =
    template.toJSON().Resources;
  const kept = Object.values(resources).filter(
    ({ DeletionPolicy }) => DeletionPolicy !== undefined && DeletionPolicy !== "Delete",
  );
  expect(kept.map(({ Type }) => Type).sort()).toEqual([
    "AWS::DynamoDB::GlobalTable",
    ...Array<string>(FUNCTIONS.length + 2).fill("AWS::Logs::LogGroup"),
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
  ]);
  for (const { DeletionPolicy, UpdateReplacePolicy } of kept)
    expect({ DeletionPolicy, UpdateReplacePolicy }).toEqual({
      DeletionPolicy: "RetainExceptOnCreate",
      UpdateReplacePolicy: "Retain",
    });
});

test("where an issuer signs the tokens there is no secret", () => {
  const claim = "https://acme.example/tagwire";
  const auth = { issuer: "https://id.example.com", audience: "push", claim };
  const issued = synth({ auth });
  issued.template.resourceCountIs("AWS::SecretsManager::Secret", 0);
  const { TOKENS } = issued.variablesOf(issued.router.functions.ingest);
  expect(JSON.parse(String(TOKENS))).toEqual(auth);
});

test("a secret that is there already can sign the tokens", () => {
  const own = synth((stack) => ({ auth: { secret: Secret.fromSecretNameV2(stack, "Own", "shop/tokens") } }));
  own.template.resourceCountIs("AWS::SecretsManager::Secret", 0);
  const { TOKENS } = own.variablesOf(own.router.functions.ingest);
  expect(JSON.stringify(TOKENS)).toContain("secret:shop/tokens");
});

test.each([
  "ingest",
  "receipts",
  "connections",
  "socket",
] as const)("%s reads the grant of a token of your secret under the name that you give the claim", (name) => {
  const claim = "https://acme.example/tagwire";
  const { router, variablesOf } = synth((stack) => ({
    auth: { secret: Secret.fromSecretNameV2(stack, "Own", "shop/tokens"), claim },
  }));
  expect(JSON.stringify(variablesOf(router.functions[name])["TOKENS"])).toContain(
    JSON.stringify(`","claim":"${claim}"}`).slice(1, -1),
  );
});

test("functions trace to X-Ray only where they are told to", () => {
  template.resourcePropertiesCountIs("AWS::Lambda::Function", { TracingConfig: Match.anyValue() }, 0);
  const traced = synth({ tracing: true });
  traced.template.resourcePropertiesCountIs(
    "AWS::Lambda::Function",
    { TracingConfig: { Mode: "Active" } },
    FUNCTIONS.length,
  );
});

test("a dead letter raises an alarm, and the topic hears of its start and its end", () => {
  const alarmed = synth((stack) => ({ alarms: { topic: new Topic(stack, "Topic") } }));
  const [alarm] = Object.values(
    alarmed.template.findResources("AWS::CloudWatch::Alarm", {
      Properties: {
        MetricName: "ApproximateNumberOfMessagesVisible",
        Dimensions: [
          {
            Name: "QueueName",
            Value: { "Fn::GetAtt": [alarmed.idOf(alarmed.router.deadLetterQueue), "QueueName"] },
          },
        ],
        Threshold: 0,
      },
    }),
  );
  const topic = [{ Ref: expect.stringMatching(/^Topic/) }];
  expect(alarm?.["Properties"]).toMatchObject({ AlarmActions: topic, OKActions: topic });
});

test("two routers fit in one stack", () => {
  const stack = new Stack(new App({ context: { "aws:cdk:bundling-stacks": [] } }), "Shop");
  const names = ["Orders", "Chat"].map((id) => new Tagwire(stack, id).lanes.high.node.path);
  expect(names).toEqual(["Shop/Orders/Lanes/High", "Shop/Chat/Lanes/High"]);
});

test("the template is what CloudFormation takes", () => {
  const app = new App({
    context: { "aws:cdk:bundling-stacks": [], "@aws-cdk/core:strictCfnValidateErrors": true },
  });
  new Tagwire(new Stack(app, "Strict"), "Router", { tracing: true });
  expect(() => app.synth()).not.toThrow();
  // CDK's own validation takes seconds of computing, which are many where others compute too.
}, 120_000);

test("an id of the template is a promise: another one would replace what it names, and lose what that holds", () => {
  const stateful = [
    "AWS::SQS::Queue",
    "AWS::DynamoDB::GlobalTable",
    "AWS::SecretsManager::Secret",
    "AWS::ApiGatewayV2::Api",
  ];
  const ids = stateful.flatMap((type) => Object.keys(template.findResources(type)));
  expect(ids.sort()).toEqual([
    "RouterAuthSecret53B3D5B4",
    "RouterHttpApi7703A950",
    "RouterLanesDeadLettersB0BC2E78",
    "RouterLanesFanoutA619619D",
    "RouterLanesFanoutHighAC64B09B",
    "RouterLanesFanoutLow067ABD12",
    "RouterLanesHigh405DDB86",
    "RouterLanesLowB3EC58EC",
    "RouterLanesNormal1A46178A",
    "RouterSocketApi414C9800",
    "RouterTablesConnectionsD3E3D494",
    "RouterTablesQuotas74221B70",
    "RouterTablesReceiptsF30B4675",
    "RouterTablesSubscriptionsD17B8389",
  ]);
});
