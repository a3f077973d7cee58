import { Duration } from "aws-cdk-lib";
import { Topic } from "aws-cdk-lib/aws-sns";
import { expect, test } from "vitest";
import { LANES } from "../../shared/protocol/lane.ts";
import { FUNCTIONS } from "../../shared/settings/variables.ts";
import { synth } from "./support.ts";

const { template, router, idOf } = synth();

interface Alarm {
  /** The metrics that it looks at; more than one are put together. */
  readonly metrics: readonly string[];
  readonly statistic: "Maximum" | "Sum";
  /** Of what the metrics are; any construct of the router has an id that begins so. */
  readonly of: string;
  /** Seconds of one datapoint. */
  readonly period: number;
  readonly above: number;
  /** Datapoints above, out of how many. */
  readonly points: readonly [number, number];
}

const lasting = { statistic: "Sum", period: 60, above: 0, points: [3, 5] } as const;
const own = (of: string, name: string) => ({ metrics: [`Tagwire ${name}`], of });
const oldest = (lane: string, above: number): Alarm => ({
  metrics: ["AWS/SQS ApproximateAgeOfOldestMessage"],
  // The oldest of a minute. An average hides it, and a sum is no age.
  statistic: "Maximum",
  of: `RouterLanes${lane}`,
  period: 60,
  above,
  points: [3, 3],
});

const CONSTRUCT_OF = {
  Ingest: "RouterHttpApi",
  Receipts: "RouterHttpApi",
  Connections: "RouterConnections",
  Consume: "RouterConsumer",
  Socket: "RouterSocketApi",
};
const functions = Object.entries(CONSTRUCT_OF).flatMap(([name, of]) => [
  [`${name}Errors`, { ...lasting, metrics: ["AWS/Lambda Errors"], of }] as const,
  [`${name}Throttles`, { ...lasting, metrics: ["AWS/Lambda Throttles"], of }] as const,
]);
const tables = ["Connections", "Subscriptions", "Receipts", "Quotas"].map((name) => {
  const metrics = ["AWS/DynamoDB ReadThrottleEvents", "AWS/DynamoDB WriteThrottleEvents"];
  return [`${name}TableThrottles`, { ...lasting, metrics, of: `RouterTables${name}` }] as const;
});

const ALARMS: Readonly<Record<string, Alarm>> = {
  OldestHigh: oldest("High", 60),
  OldestNormal: oldest("Normal", 300),
  OldestFanoutHigh: oldest("FanoutHigh", 300),
  OldestFanoutNormal: oldest("Fanout", 300),
  OldestFanoutLow: oldest("FanoutLow", 3_600),
  OldestLow: oldest("Low", 3_600),
  DeadLetters: {
    metrics: ["AWS/SQS ApproximateNumberOfMessagesVisible"],
    statistic: "Maximum",
    of: "RouterLanesDeadLetters",
    period: 60,
    above: 0,
    points: [1, 1],
  },
  // Two days before SQS deletes it.
  OldestDeadLetter: { ...oldest("DeadLetters", 12 * 86_400), points: [1, 1] },
  ConnectsFailed: {
    ...lasting,
    metrics: ["Tagwire ConnectsFailed", "Tagwire ConnectionsOpened"],
    of: "socket",
    above: 1,
  },
  SocketExecutionErrors: {
    ...lasting,
    metrics: ["AWS/ApiGateway ExecutionError"],
    of: "RouterSocketApi",
  },
  HttpServerErrors: { ...lasting, metrics: ["AWS/ApiGateway 5xx"], of: "RouterHttpApi" },
  MessagesShed: { ...lasting, ...own("ingest", "MessagesShed") },
  SendsRefused: { ...lasting, ...own("consume", "SendsRefused"), period: 300, points: [1, 1] },
  SendsForbidden: { ...lasting, ...own("consume", "SendsForbidden"), period: 300, points: [1, 1] },
  GatewayDown: { ...lasting, ...own("consume", "GatewayDown") },
  QuotaExhausted: { ...lasting, ...own("consume", "QuotaExhausted") },
  ...Object.fromEntries([...functions, ...tables]),
  CostPerHour: {
    metrics: [
      "AWS/ApiGateway Count",
      "AWS/ApiGateway MessageCount",
      "AWS/Lambda Invocations",
      "AWS/Lambda Duration",
      "AWS/Lambda Invocations",
      "AWS/Lambda Duration",
      "AWS/Lambda Duration",
      "AWS/DynamoDB ConsumedWriteCapacityUnits",
      "AWS/DynamoDB ConsumedWriteCapacityUnits",
      "AWS/DynamoDB ConsumedReadCapacityUnits",
    ],
    statistic: "Sum",
    of: "Router",
    period: 3_600,
    above: 5,
    points: [1, 1],
  },
};

interface Found {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Value: unknown }[];
}

/** The properties of the alarms by their ids. */
const alarms = new Map(
  Object.entries(template.findResources("AWS::CloudWatch::Alarm")).map(([id, { Properties }]) => [
    /^RouterAlarms(\w+)[0-9A-F]{8}$/.exec(id)?.[1] ?? id,
    Properties,
  ]),
);

test("there is an alarm for each thing that someone should look at, and no other", () => {
  expect([...alarms.keys()].sort()).toEqual(Object.keys(ALARMS).sort());
});

test("there is one for each lane, function and table, those of streams too", () => {
  const streams = synth({ settings: { streams: [{ topics: "*", seconds: 60, count: 10 }] } });
  const ids = Object.keys(streams.template.findResources("AWS::CloudWatch::Alarm")).join();
  for (const lane of LANES)
    expect(ids).toMatch(new RegExp(`RouterAlarmsOldest${lane.replace("-", "")}`, "i"));
  for (const name of FUNCTIONS) expect(ids).toMatch(new RegExp(`RouterAlarms${name}Throttles`, "i"));
  for (const name of Object.keys(streams.router.tables))
    expect(ids).toMatch(new RegExp(`RouterAlarms${name}TableThrottles`, "i"));
  expect(ids).toContain("StreamsTableThrottles");
});

test.each(Object.entries(ALARMS))("alarm %s looks at the right numbers in the right way", (name, alarm) => {
  const found = alarms.get(name);
  const [above, periods] = alarm.points;
  expect(found).toMatchObject({
    Threshold: alarm.above,
    ComparisonOperator: "GreaterThanThreshold",
    EvaluationPeriods: periods,
    // A queue that nobody uses, or a function that does not run, has no data, and that is no reason to wake anybody.
    TreatMissingData: "notBreaching",
  });
  expect(found.DatapointsToAlarm ?? periods).toBe(above);
  const looked: readonly { Metric: Found; Stat: string; Period: number }[] = found.MetricName
    ? [{ Metric: found, Stat: found.Statistic, Period: found.Period }]
    : found.Metrics.flatMap(({ MetricStat }: { MetricStat?: object }) => (MetricStat ? [MetricStat] : []));
  expect(looked.map(({ Metric }) => `${Metric.Namespace} ${Metric.MetricName}`)).toEqual(alarm.metrics);
  for (const { Metric, Stat, Period } of looked) {
    expect([Stat, Period]).toEqual([alarm.statistic, alarm.period]);
    expect(JSON.stringify(Metric.Dimensions.map(({ Value }) => Value))).toContain(`"${alarm.of}`);
  }
});

// AWS::CloudWatch::Alarm: a metric math expression of an alarm can have at most ten metrics.
test("no alarm looks at more than ten metrics", () => {
  for (const { Metrics = [] } of alarms.values())
    expect(Metrics.filter(({ MetricStat }: { MetricStat?: object }) => MetricStat).length).toBeLessThan(11);
});

test("an emulator gets the alarms on one metric, which is all that it takes", () => {
  const emulated = synth({ emulator: { endpoint: "http://127.0.0.1:4566" } }).template;
  const found = Object.values(emulated.findResources("AWS::CloudWatch::Alarm"));
  expect(found.length).toBeGreaterThan(15);
  expect(found.filter(({ Properties }) => Properties.Metrics)).toEqual([]);
});

test("a message that waits longer than you want raises the alarm of its lane", () => {
  const strict = synth({ alarms: { laneAge: { high: Duration.seconds(5) } } });
  strict.template.hasResourceProperties("AWS::CloudWatch::Alarm", {
    MetricName: "ApproximateAgeOfOldestMessage",
    Threshold: 5,
  });
});

test("every alarm tells the topic when it starts and when it is over", () => {
  const alarmed = synth((stack) => ({ alarms: { topic: new Topic(stack, "Topic") } }));
  const topic = [{ Ref: expect.stringMatching(/^Topic/) }];
  for (const { Properties } of Object.values(alarmed.template.findResources("AWS::CloudWatch::Alarm")))
    expect(Properties).toMatchObject({ AlarmActions: topic, OKActions: topic });
});

test("the alarm of the dead letters says how they get there and what to do", () => {
  expect(alarms.get("DeadLetters").AlarmDescription).toMatch(/last resort.+redrive or purge/);
  expect(JSON.stringify(alarms.get("DeadLetters").Dimensions)).toContain(idOf(router.deadLetterQueue));
});

test("without alarms there is none, and all else is as it was", () => {
  const { Resources: silent } = synth({ alarms: false }).template.toJSON();
  const { Resources } = template.toJSON() as { Resources: Record<string, { Type: string }> };
  const others = Object.entries(Resources).filter(([, { Type }]) => Type !== "AWS::CloudWatch::Alarm");
  expect(Object.keys(Resources).length - others.length).toBe(Object.keys(ALARMS).length);
  expect(Object.keys(silent).toSorted()).toEqual(others.map(([id]) => id).toSorted());
});
