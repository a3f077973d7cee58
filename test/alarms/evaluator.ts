import type { Template } from "aws-cdk-lib/assertions";

/*
 * CloudWatch as its user guide describes it, for the alarms of a template. It knows the template and the records, and
 * nothing of the code that made them.
 */

/** A value of a metric, as CloudWatch gets it. */
export interface Datum {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The values in a line of a log, if it is in the embedded metric format (version 1 of its specification). */
export function dataIn(line: string, at: number): readonly Datum[] {
  const record = JSON.parse(line);
  const directives: readonly Directive[] = record._aws?.CloudWatchMetrics ?? [];
  return directives.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((set) => {
      const dimensions = Object.fromEntries(set.map((name) => [name, String(record[name])]));
      return Metrics.flatMap(({ Name: name }) =>
        [record[name]].flat().map((value: number) => ({ namespace, name, dimensions, value, at })),
      );
    }),
  );
}

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string }[];
}

interface Stat {
  readonly Metric: {
    readonly Namespace: string;
    readonly MetricName: string;
    readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
  };
  readonly Stat: string;
  readonly Period: number;
}

interface MathPart {
  readonly Id: string;
  readonly Expression?: string;
  readonly MetricStat?: Stat;
  readonly ReturnData?: boolean;
}

/** Returns the names of the alarms that are on at `now`, by their ids in the construct `Alarms`. */
export function alarmsIn(template: Template): (data: readonly Datum[], now: number) => readonly string[] {
  const alarms = Object.entries(template.findResources("AWS::CloudWatch::Alarm")).map(
    ([id, { Properties }]) =>
      [/^RouterAlarms(\w+)[0-9A-F]{8}$/.exec(id)?.[1] ?? id, resolved(Properties) as Properties] as const,
  );
  return (data, now) =>
    alarms.flatMap(([name, properties]) => (isOn(properties, data, now) ? [name] : [])).sort();
}

interface Properties {
  readonly Metrics?: readonly MathPart[];
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: Stat["Metric"]["Dimensions"];
  readonly Statistic?: string;
  readonly Period?: number;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
}

/** M out of N: on if M of the last N whole periods are above the threshold. A period without data counts as `TreatMissingData`. */
function isOn(alarm: Properties, data: readonly Datum[], now: number): boolean {
  if (alarm.ComparisonOperator !== "GreaterThanThreshold" || alarm.TreatMissingData !== "notBreaching")
    throw new Error(`not evaluated here: ${alarm.ComparisonOperator}, ${alarm.TreatMissingData}`);
  const { Namespace = "", MetricName = "", Dimensions = [], Statistic: Stat = "", Period = 60 } = alarm;
  const parts: readonly MathPart[] = alarm.Metrics ?? [
    {
      Id: "only",
      MetricStat: {
        Metric: { Namespace, MetricName, Dimensions },
        ...{ Stat, Period },
      },
    },
  ];
  const period = (parts.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period ?? 60) * 1_000;
  const lastEnd = Math.floor(now / period) * period;
  const first = lastEnd - alarm.EvaluationPeriods * period;
  const metrics = new Set(parts.map(({ MetricStat }) => MetricStat?.Metric.MetricName));
  const own = data.filter(({ at, name }) => at >= first && metrics.has(name));
  const breaching = Array.from({ length: alarm.EvaluationPeriods }, (_, i) => lastEnd - i * period).filter(
    (end) => {
      const value = periodValue(
        parts,
        own.filter(({ at }) => at >= end - period && at < end),
      );
      return value !== undefined && value > alarm.Threshold;
    },
  );
  return breaching.length >= (alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods);
}

/** The value of one period; undefined if there is no data. */
function periodValue(parts: readonly MathPart[], data: readonly Datum[]): number | undefined {
  const values = new Map(
    parts.flatMap(({ Id, MetricStat }) => (MetricStat ? [[Id, statistic(MetricStat, data)] as const] : [])),
  );
  const returned = parts.find(({ ReturnData, Expression }) => Expression && ReturnData !== false) ?? parts[0];
  if (!returned?.Expression) return values.get(returned?.Id ?? "");
  // An expression has no data where none of its metrics has.
  if ([...values.values()].every((value) => value === undefined)) return undefined;
  const names = [...values.keys()];
  const compute = new Function("FILL", "IF", ...names, `return ${returned.Expression};`);
  const fill = (value: number | undefined, other: number) => value ?? other;
  const either = (condition: boolean, a: number, b: number) => (condition ? a : b);
  return compute(fill, either, ...names.map((name) => values.get(name)));
}

function statistic({ Metric, Stat: name }: Stat, data: readonly Datum[]): number | undefined {
  const wanted = Object.fromEntries(Metric.Dimensions.map(({ Name, Value }) => [Name, Value]));
  const values = data
    .filter(
      (datum) =>
        datum.namespace === Metric.Namespace &&
        datum.name === Metric.MetricName &&
        // All of them and no others: a metric is named by its dimensions.
        Object.keys(datum.dimensions).length === Object.keys(wanted).length &&
        Object.entries(wanted).every(([key, value]) => datum.dimensions[key] === value),
    )
    .map(({ value }) => value);
  if (values.length === 0) return undefined;
  if (name === "Sum") return values.reduce((sum, value) => sum + value, 0);
  if (name === "Maximum") return Math.max(...values);
  throw new Error(`not evaluated here: ${name}`);
}

/** A value of a template with the ids of its resources for their names. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== "object" || value === null) return value;
  if ("Ref" in value) return value.Ref === "AWS::StackName" ? "Test" : value.Ref;
  if ("Fn::GetAtt" in value) return (value["Fn::GetAtt"] as string[])[0];
  if ("Fn::Join" in value) {
    const [separator, parts] = value["Fn::Join"] as [string, unknown[]];
    return parts.map(resolved).join(separator);
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each)]));
}
