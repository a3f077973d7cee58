import { Duration, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import type { Metric as CdkMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { describe, expect, test } from "vitest";
import { Tagwire } from "../../infra/index.ts";
import { emfTelemetry } from "../../shared/adapters/emf/telemetry.ts";
import { METRIC_NAMES, METRICS } from "../../shared/metric.ts";
import type { Count, Measure, Metric } from "../../shared/ports.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { FUNCTIONS } from "../../shared/settings/variables.ts";
import { synth, unbundled } from "./support.ts";

/** A metric as CloudWatch knows it: another dimension or namespace is another metric. */
interface MetricIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** A value of a template once its stack is deployed; its resources have their own ids for names. */
function deployed(value: unknown, stackName: string): unknown {
  if (Array.isArray(value)) return value.map((each) => deployed(each, stackName));
  if (typeof value !== "object" || value === null) return value;
  if ("Fn::Join" in value) {
    const [separator, parts] = value["Fn::Join"] as [string, unknown[]];
    return parts.map((part) => deployed(part, stackName)).join(separator);
  }
  if ("Ref" in value) return value.Ref === "AWS::StackName" ? stackName : String(value.Ref);
  if ("Fn::GetAtt" in value) return String((value["Fn::GetAtt"] as string[])[0]);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, deployed(each, stackName)]));
}

/** What each router of a stack is called in metrics, by what its consumer is told. */
const routersIn = (stack: Stack): string[] =>
  Object.values(Template.fromStack(stack).findResources("AWS::Lambda::Function"))
    .map(({ Properties }) => Properties.Environment?.Variables ?? {})
    .filter(({ DEAD_LETTER_QUEUE_URL }) => DEAD_LETTER_QUEUE_URL !== undefined)
    .map(({ ROUTER }) => String(deployed(ROUTER, stack.stackName)));

/** The metrics of ours that the dashboards and alarms of a stack look at. */
function lookedAt(stack: Stack): { dashboards: MetricIdentity[][]; alarms: MetricIdentity[] } {
  const template = Template.fromStack(stack);
  const dashboards = Object.values(template.findResources("AWS::CloudWatch::Dashboard")).map(
    ({ Properties }) => {
      const { widgets } = JSON.parse(String(deployed(Properties.DashboardBody, stack.stackName)));
      return (
        (widgets as { properties: { metrics: unknown[][] } }[])
          .flatMap(({ properties }) => properties.metrics)
          .map((row) => row.filter((word): word is string => typeof word === "string"))
          .map(([namespace = "", name = "", ...pairs]) => ({
            namespace,
            name,
            dimensions: Object.fromEntries(
              pairs.flatMap((key, i) => (i % 2 === 0 ? [[key, pairs[i + 1] ?? ""]] : [])),
            ),
          }))
          // A row without a name is a sum of others.
          .filter((metric) => metric.namespace !== "" && ours(metric))
      );
    },
  );
  const alarms = Object.values(template.findResources("AWS::CloudWatch::Alarm"))
    .flatMap(({ Properties }) =>
      Properties.MetricName
        ? [Properties]
        : Properties.Metrics.flatMap(({ MetricStat }: { MetricStat?: { Metric: object } }) =>
            MetricStat ? [MetricStat.Metric] : [],
          ),
    )
    .map((metric) => {
      const { Namespace, MetricName, Dimensions } = deployed(metric, stack.stackName) as {
        Namespace: string;
        MetricName: string;
        Dimensions: { Name: string; Value: string }[];
      };
      const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
      return { namespace: Namespace, name: MetricName, dimensions };
    })
    .filter(ours);
  return { dashboards, alarms };
}

const ours = ({ namespace }: MetricIdentity) => !namespace.startsWith("AWS/");

/** The metric that CloudWatch makes of what a function prints (embedded metric format). */
function emitted(service: string, router: string, metric: Metric, lane?: string): MetricIdentity {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const telemetry = emfTelemetry({ service, router, level: "info", write })();
  if (METRICS[metric].unit === "Count") telemetry.count(metric as Count);
  else telemetry.observe(metric as Measure, 1, lane as Lane | undefined);
  telemetry.flush();
  const record = JSON.parse(lines[0] ?? "{}");
  const [{ Namespace, Dimensions, Metrics }] = record._aws.CloudWatchMetrics;
  const dimensions = Object.fromEntries(
    (Dimensions[0] as string[]).map((name) => [name, String(record[name])]),
  );
  return { namespace: Namespace, name: Metrics[0].Name, dimensions };
}

test("the dashboard and the alarms look at the very metrics that the functions write", () => {
  const stack = new Stack(unbundled(), "Shop");
  new Tagwire(stack, "Orders");
  const [router = ""] = routersIn(stack);
  const { dashboards, alarms } = lookedAt(stack);
  const all = [...dashboards.flat(), ...alarms];
  expect(all.length).toBeGreaterThan(15);
  for (const { namespace, name, dimensions } of all) {
    const service = dimensions["service"] ?? "";
    expect(FUNCTIONS).toContain(service);
    expect({ namespace, name, dimensions }).toEqual(
      emitted(service, router, name as Metric, dimensions["lane"]),
    );
  }
});

test("the dashboard shows every metric that a function writes", () => {
  const stack = new Stack(unbundled(), "Shop");
  new Tagwire(stack, "Orders");
  const shown = new Set(
    lookedAt(stack)
      .dashboards.flat()
      .map(({ name }) => name),
  );
  expect([...shown].sort()).toEqual([...METRIC_NAMES].sort());
});

test.each([
  { where: "one stack", made: () => twoIn(1) },
  { where: "two stacks", made: () => twoIn(2) },
])("two routers of $where do not add up", ({ made }) => {
  const stacks = made();
  const names = stacks.flatMap(routersIn);
  expect(new Set(names).size).toBe(2);
  const seen = stacks.flatMap((stack) => lookedAt(stack).dashboards);
  expect(seen).toHaveLength(2);
  const routers = seen.map((metrics) => [...new Set(metrics.map(({ dimensions }) => dimensions["router"]))]);
  expect(routers).toEqual(names.map((name) => [name]));
  const alarmed = stacks
    .flatMap((stack) => lookedAt(stack).alarms)
    .map(({ dimensions }) => dimensions["router"]);
  const [one, other] = names.map((name) => alarmed.filter((each) => each === name).length);
  expect(one).toBeGreaterThan(5);
  expect([one, other]).toEqual([alarmed.length / 2, alarmed.length / 2]);
});

/** The same app with two routers, in so many stacks. */
function twoIn(count: 1 | 2): Stack[] {
  const root = unbundled();
  const shop = new Stack(root, "Shop");
  const other = count === 1 ? shop : new Stack(root, "Other");
  new Tagwire(shop, "Router");
  new Tagwire(other, count === 1 ? "Chat" : "Router");
  return [...new Set([shop, other])];
}

test("every function is told the same name", () => {
  const { router, variablesOf } = synth();
  const names = Object.values(router.functions).map((each) => deployed(variablesOf(each)["ROUTER"], "Test"));
  expect(new Set(names)).toEqual(new Set(["Test/Router"]));
});

test.each([
  { why: "is long", ids: ["a".repeat(100), "b".repeat(100)] },
  { why: "has signs that CloudWatch refuses", ids: ["Bestellungen für Grün"] },
])("the name of a router whose path $why is shortened, always to the same", ({ ids }) => {
  const named = () => {
    const stack = new Stack(unbundled(), "Shop", { stackName: "n".repeat(128) });
    const scope = ids.slice(0, -1).reduce<Construct>((at, id) => new Construct(at, id), stack);
    new Tagwire(scope, ids.at(-1) ?? "");
    return routersIn(stack)[0] ?? "";
  };
  const name = named();
  expect(name).toMatch(/^[\x21-\x7e]{1,255}$/);
  expect(named()).toBe(name);
});

test.each([
  { id: "Chat", as: "Chat" },
  { id: "Chat:eu*", as: "Chat_eu_" },
  { id: "b".repeat(111), as: `${"b".repeat(93)}-[0-9a-f]{16}` },
])("the query for the story of a message has a name that CloudWatch Logs takes: of $id", ({ id, as }) => {
  const stack = new Stack(unbundled(), "Shop", { stackName: "n".repeat(128) });
  new Tagwire(stack, id);
  const [query] = Object.values(Template.fromStack(stack).findResources("AWS::Logs::QueryDefinition"));
  const name = deployed(query?.["Properties"].Name, "n".repeat(128));
  expect(name).toMatch(new RegExp(`^Tagwire/n+/${as}/message$`));
  expect(String(name).length).toBeLessThanOrEqual(255);
});

describe("a metric of the construct", () => {
  const stack = new Stack(unbundled(), "Shop");
  const router = new Tagwire(stack, "Orders");
  const shown = (metric: CdkMetric) => {
    const { namespace, metricName: name, dimensions = {}, statistic } = metric;
    return {
      statistic,
      ...{
        namespace,
        name,
        dimensions: deployed(stack.resolve(dimensions), "Shop") as MetricIdentity["dimensions"],
      },
    };
  };
  const queue = (lane: IQueue) => ({ QueueName: deployed(stack.resolve(lane.queueName), "Shop") });

  test.each<{ of: string; metric: CdkMetric; service: string; name: Metric }>([
    { of: "accepted", metric: router.metricMessagesAccepted(), service: "ingest", name: "MessagesAccepted" },
    { of: "refused", metric: router.metricMessagesRefused(), service: "ingest", name: "MessagesRefused" },
    { of: "frames", metric: router.metricFramesSent(), service: "consume", name: "FramesSent" },
    {
      of: "connections",
      metric: router.metricConnectionsOpened(),
      service: "socket",
      name: "ConnectionsOpened",
    },
    { of: "forbidden", metric: router.metricSendsForbidden(), service: "consume", name: "SendsForbidden" },
    { of: "gateway", metric: router.metricGatewayDown(), service: "consume", name: "GatewayDown" },
    { of: "connects", metric: router.metric("ConnectsFailed"), service: "socket", name: "ConnectsFailed" },
    { of: "any name", metric: router.metric("Unsubscribed"), service: "socket", name: "Unsubscribed" },
    { of: "faults", metric: router.metric("Faults"), service: "consume", name: "Faults" },
    {
      of: "faults of a function",
      metric: router.metric("Faults", { function: "receipts" }),
      service: "receipts",
      name: "Faults",
    },
  ])("is the one that a function writes, and a sum: $of", ({ metric, service, name }) => {
    const [called = ""] = routersIn(stack);
    expect(shown(metric)).toEqual({ statistic: "Sum", ...emitted(service, called, name) });
  });

  test.each(LANES)("is measured by lane, and a percentile: %s", (lane) => {
    const [called = ""] = routersIn(stack);
    expect(shown(router.metric("LaneWait", { lane }))).toEqual({
      statistic: "p99",
      ...emitted("consume", called, "LaneWait", lane),
    });
  });

  test.each(LANES)("is of the queue of lane %s, and a maximum", (lane) => {
    const of = { statistic: "Maximum", namespace: "AWS/SQS", dimensions: queue(router.lanes[lane]) };
    const age = "ApproximateAgeOfOldestMessage";
    expect(shown(router.metricLaneAge(lane))).toEqual({ ...of, name: age });
    const depth = "ApproximateNumberOfMessagesVisible";
    expect(shown(router.metricLaneDepth(lane))).toEqual({ ...of, name: depth });
  });

  test("is of the dead-letter queue, and a maximum", () => {
    const dimensions = queue(router.deadLetterQueue);
    const name = "ApproximateNumberOfMessagesVisible";
    expect(shown(router.metricDeadLetters())).toEqual({
      ...{ statistic: "Maximum", namespace: "AWS/SQS", name, dimensions },
    });
  });

  test("has the period and the statistic that it is asked for", () => {
    const options = { period: Duration.seconds(10), statistic: "Average" };
    for (const metric of [router.metricFramesSent(options), router.metricLaneAge("high", options)])
      expect(metric).toMatchObject({ period: options.period, statistic: "Average" });
  });
});

test("a metric that another stack shows is of the router's stack", () => {
  const app = unbundled();
  const router = new Tagwire(new Stack(app, "Shop"), "Orders");
  const other = new Stack(app, "Watch");
  router.metricFramesSent().createAlarm(other, "Quiet", { threshold: 1, evaluationPeriods: 1 });
  const [alarm] = Object.values(Template.fromStack(other).findResources("AWS::CloudWatch::Alarm"));
  expect(alarm?.["Properties"]).toMatchObject({
    MetricName: "FramesSent",
    Dimensions: expect.arrayContaining([{ Name: "router", Value: "Shop/Orders" }]),
  });
});
