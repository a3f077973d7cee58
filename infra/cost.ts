import { Duration } from "aws-cdk-lib";
import { MathExpression, type Metric } from "aws-cdk-lib/aws-cloudwatch";
import { costOf, PRICES, type PriceName } from "../cli/plan/prices.ts";
import type { Settings } from "../shared/settings/schema.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import type { RouterMetrics } from "./metrics.ts";

/** Dollars of one unit, before any discount for many. */
const each = (name: PriceName): number => costOf(PRICES[name], 1);

/**
 * What the router costs, in dollars per period, by what AWS counts: an alarm takes at most ten metrics, so these are the
 * ones that a flood or a mistake makes large. What comes with each is priced with it: an HTTP request has a run of
 * ingest and a call of SQS, a run of consume a receive and a delete. Connection minutes have no metric; data out and rows
 * kept are left out.
 */
export function costPerHour(router: RouterMetrics, { advanced }: Settings): MathExpression {
  const { functions, httpApi } = router;
  const hour = { period: Duration.hours(1), statistic: "Sum" };
  /** Lambda counts milliseconds. */
  const time = (name: FunctionName) =>
    (each("gigabyteSeconds") * (advanced.functions[name].memoryMegabytes / 1_024)) / 1_000;
  const priced: Readonly<Record<string, readonly [metric: Metric, dollars: number]>> = {
    posts: [httpApi.metricCount(hour), each("httpRequests") + each("invocations") + each("queueRequests")],
    frames: [router.metricSocketApi("MessageCount", hour), each("socketMessages")],
    runs: [functions.consume.metricInvocations(hour), each("invocations") + 2 * each("queueRequests")],
    consume: [functions.consume.metricDuration(hour), time("consume")],
    sockets: [functions.socket.metricInvocations(hour), each("invocations")],
    socket: [functions.socket.metricDuration(hour), time("socket")],
    ingest: [functions.ingest.metricDuration(hour), time("ingest")],
    receipts: [router.metricTableUnits("receipts", "Write", hour), each("writeUnits")],
    rows: [router.metricTableUnits("subscriptions", "Write", hour), each("writeUnits")],
    lists: [router.metricTableUnits("subscriptions", "Read", hour), each("readUnits")],
  };
  const millionths = Object.entries(priced).map(
    ([name, [, dollars]]) => `FILL(${name},0)*${(dollars * 1_000_000).toFixed(6)}`,
  );
  return new MathExpression({
    expression: `(${millionths.join("+")})/1000000`,
    usingMetrics: Object.fromEntries(Object.entries(priced).map(([name, [metric]]) => [name, metric])),
    label: "Dollars an hour",
    period: hour.period,
  });
}
