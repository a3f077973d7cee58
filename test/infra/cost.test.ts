import { expect, test } from "vitest";
import { synth } from "./support.ts";

/* The dollars here are worked out by hand from the page about costs in docs/deploy.md. */

const { template } = synth();

interface Part {
  readonly Id: string;
  readonly Expression?: string;
  readonly MetricStat?: { readonly Metric: { readonly MetricName: string; readonly Dimensions: unknown } };
}

const [parts = []] = Object.entries(template.findResources("AWS::CloudWatch::Alarm"))
  .filter(([id]) => id.startsWith("RouterAlarmsCostPerHour"))
  .map(([, { Properties }]) => Properties.Metrics as readonly Part[]);
const metrics = parts.flatMap(({ Id, MetricStat }) => (MetricStat ? [{ Id, ...MetricStat.Metric }] : []));

/** What an hour costs in which only these metrics have data. */
function dollarsOf(amounts: Readonly<Record<string, number>>): number {
  const expression = parts.find(({ Expression }) => Expression)?.Expression ?? "";
  const names = metrics.map(({ Id }) => Id);
  const fill = (value: number | undefined, other: number) => value ?? other;
  return new Function("FILL", ...names, `return ${expression};`)(fill, ...names.map((name) => amounts[name]));
}

test.each([
  { what: "POSTs: a request, a run of ingest and a call of SQS", of: ["Count", "HttpApi"], dollars: 1.6 },
  { what: "frames and connects", of: ["MessageCount", "SocketApi"], dollars: 1 },
  {
    what: "runs of consume: with a receive and a delete",
    of: ["Invocations", "RouterConsumer"],
    dollars: 1,
  },
  { what: "ms of consume, of 1 GB", of: ["Duration", "RouterConsumer"], dollars: 0.0133334 },
  { what: "runs of socket", of: ["Invocations", "RouterSocketApi"], dollars: 0.2 },
  { what: "ms of socket, of 256 MB", of: ["Duration", "RouterSocketApi"], dollars: 0.0033333 },
  { what: "ms of ingest, of 512 MB", of: ["Duration", "RouterHttpApi"], dollars: 0.0066667 },
  { what: "writes of receipts", of: ["ConsumedWriteCapacityUnits", "TablesReceipts"], dollars: 0.625 },
  { what: "writes of lists", of: ["ConsumedWriteCapacityUnits", "TablesSubscriptions"], dollars: 0.625 },
  { what: "reads of lists", of: ["ConsumedReadCapacityUnits", "TablesSubscriptions"], dollars: 0.125 },
])("the alarm on cost prices a million of $what at $dollars dollars", ({
  of: [name, construct = ""],
  dollars,
}) => {
  const found = metrics.filter(
    ({ MetricName, Dimensions }) => MetricName === name && JSON.stringify(Dimensions).includes(construct),
  );
  expect(found).toHaveLength(1);
  expect(dollarsOf({ [found[0]?.Id ?? ""]: 1_000_000 })).toBeCloseTo(dollars, 6);
});

test("an hour in which nothing is used costs nothing", () => {
  expect(dollarsOf({})).toBe(0);
});
