import { Duration } from "aws-cdk-lib";
import { Topic } from "aws-cdk-lib/aws-sns";
import { expect, test } from "vitest";
import { synth } from "./support.ts";

const { template, router, idOf } = synth();

interface Alarm {
  readonly metric: string;
  readonly statistic: "Maximum" | "Sum";
  /** Of what the metric is; any construct of the router has an id that begins so. */
  readonly of: string;
  /** Seconds of one datapoint. */
  readonly period: number;
  readonly above: number;
  /** Datapoints above, out of how many. */
  readonly points: readonly [number, number];
}

const lambda = { statistic: "Sum", period: 60, above: 0, points: [3, 3] } as const;
const oldest = (lane: string, above: number): Alarm => ({
  metric: "AWS/SQS ApproximateAgeOfOldestMessage",
  // The oldest of a minute. An average hides it, and a sum is no age.
  statistic: "Maximum",
  of: `RouterLanes${lane}`,
  period: 60,
  above,
  points: [3, 3],
});

const ALARMS: Readonly<Record<string, Alarm>> = {
  OldestHigh: oldest("High", 60),
  OldestNormal: oldest("Normal", 300),
  OldestFanoutHigh: oldest("FanoutHigh", 60),
  OldestFanoutNormal: oldest("Fanout", 300),
  OldestFanoutLow: oldest("FanoutLow", 3_600),
  OldestLow: oldest("Low", 3_600),
  DeadLetters: {
    metric: "AWS/SQS ApproximateNumberOfMessagesVisible",
    statistic: "Maximum",
    of: "RouterLanesDeadLetters",
    period: 60,
    above: 0,
    points: [1, 1],
  },
  ConsumeErrors: { ...lambda, metric: "AWS/Lambda Errors", of: "RouterConsumer" },
  ConsumeThrottles: { ...lambda, metric: "AWS/Lambda Throttles", of: "RouterConsumer" },
  SocketErrors: { ...lambda, metric: "AWS/Lambda Errors", of: "RouterSocketApi" },
  HttpServerErrors: { ...lambda, metric: "AWS/ApiGateway 5xx", of: "RouterHttpApi" },
  SendsForbidden: { ...lambda, metric: "Tagwire SendsForbidden", of: "consume", period: 300, points: [1, 1] },
  QuotaExceeded: { ...lambda, metric: "Tagwire QuotaExceeded", of: "consume", points: [2, 5] },
  GatewayDown: { ...lambda, metric: "Tagwire GatewayDown", of: "consume", points: [3, 5] },
};

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

test.each(Object.entries(ALARMS))("alarm %s looks at the right number in the right way", (name, alarm) => {
  const found = alarms.get(name);
  const [above, periods] = alarm.points;
  expect(found).toMatchObject({
    Statistic: alarm.statistic,
    Period: alarm.period,
    Threshold: alarm.above,
    ComparisonOperator: "GreaterThanThreshold",
    EvaluationPeriods: periods,
    // A queue that nobody uses, or a function that does not run, has no data, and that is no reason to wake anybody.
    TreatMissingData: "notBreaching",
  });
  expect(`${found.Namespace} ${found.MetricName}`).toBe(alarm.metric);
  expect(found.DatapointsToAlarm ?? periods).toBe(above);
  const values: unknown[] = found.Dimensions.map(({ Value }: { Value: unknown }) => Value);
  expect(JSON.stringify(values)).toContain(`"${alarm.of}`);
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
