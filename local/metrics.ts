import { Counter, Gauge, Registry } from "prom-client";
import { describe, METRIC_NAMES } from "../shared/metric.ts";
import type { Count, LogFields, Measure, Metric, RunTelemetry } from "../shared/ports.ts";
import { faultFields } from "../shared/protocol/errors.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import { buckets, type Distribution, Histogram } from "./histogram.ts";
import type { Note } from "./log.ts";
import { prometheusName } from "./prometheus-name.ts";

type Labels = Readonly<Record<string, string>>;

export interface Gauges {
  readonly name: string;
  readonly help: string;
  readonly values: readonly { readonly labels?: Labels; readonly value: number }[];
}

export interface Metrics {
  /**
   * Returns the telemetry of a function: it counts here, writes its warnings as JSON lines, and notes the steps of messages
   * and connections. One is enough for all runs.
   */
  telemetry(service: FunctionName, write: (line: string) => void, note?: Note): RunTelemetry;
  /** Takes a line that a function printed; counts it where it is an EMF record. */
  read(line: string): void;
  /** All counters and histograms since the start, and the gauges given, as Prometheus text. */
  render(gauges: readonly Gauges[]): Promise<string>;
}

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;
/** What a router on one machine is called in metrics and in the log. */
const ROUTER = "local";

/** Whether a printed line is an EMF record; all others are logs. Cheap, so that logs need no parsing. */
export const isMetricRecord = (line: string): boolean => line.includes('"CloudWatchMetrics"');

/** Makes Prometheus metrics of what the functions count, and of the records that they print (CloudWatch embedded metric format). */
export function metrics(): Metrics {
  const counters = new Map<string, Map<string, { labels: Labels; total: number }>>();
  const histograms = new Map<string, Map<string, { labels: Labels; of: Distribution }>>();
  /** What was counted since the last rendering, by service: a name and labels are made then. */
  const counted = new Map<FunctionName, Map<Count, number>>();

  const add = (name: string, labels: Labels, value: number) => {
    seriesIn(counters, name, labels, () => ({ labels, total: 0 })).total += value;
  };
  const distribution = (name: Metric | string, unit: string, labels: Labels): Distribution =>
    seriesIn(histograms, prometheusName(name, unit), labels, () => ({ labels, of: buckets(unit) })).of;

  return {
    telemetry(service, write, note) {
      const counts = counted.get(service) ?? new Map<Count, number>();
      counted.set(service, counts);
      const known = new Map<string, Distribution>();
      const distributionOf = (metric: Measure, lane?: string) => {
        const labels = { router: ROUTER, service, ...(lane === undefined ? {} : { lane }) };
        const made = distribution(metric, describe(metric).unit, labels);
        known.set(`${metric} ${lane}`, made);
        return made;
      };
      const base = { service, router: ROUTER };
      return {
        count(metric, value = 1) {
          if (value > 0) counts.set(metric, (counts.get(metric) ?? 0) + value);
        },
        observe: (metric, value, lane) =>
          (known.get(`${metric} ${lane}`) ?? distributionOf(metric, lane)).add(value),
        warn: (message, fields, fault) =>
          write(JSON.stringify({ level: "WARN", message, ...base, ...fields, ...faultFields(fault) })),
        ...(note
          ? {
              info: (message: string, fields: LogFields) =>
                note(message, { service, router: ROUTER, ...fields }),
            }
          : {}),
        flush() {},
      };
    },
    read(line) {
      if (!isMetricRecord(line)) return;
      for (const { name, unit, labels, values } of samples(line)) {
        if (unit === "Count") add(prometheusName(name, unit), labels, sum(values));
        else for (const value of values) distribution(name, unit, labels).add(value);
      }
    },
    // Built when asked for: a counter must know all its labels at birth, and a record may bring new ones.
    async render(gauges) {
      for (const [service, counts] of counted) {
        for (const [metric, value] of counts)
          add(prometheusName(metric, "Count"), { router: ROUTER, service }, value);
        counts.clear();
      }
      const registry = new Registry();
      for (const [name, series] of counters) {
        const rows = [...series.values()];
        const counter = new Counter({
          name,
          help: helpOf(name),
          labelNames: labelsOf(rows),
          registers: [registry],
        });
        for (const { labels, total } of rows) counter.inc(labels, total);
      }
      for (const [name, series] of histograms)
        registry.registerMetric(new Histogram(name, helpOf(name), [...series.values()]));
      for (const { name, help, values } of gauges) {
        const labelNames = labelsOf(values);
        const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
        for (const { labels = {}, value } of values) gauge.set(labels, value);
      }
      return registry.metrics();
    },
  };
}

const HELP: ReadonlyMap<string, string> = new Map(
  METRIC_NAMES.map((name) => [prometheusName(name, describe(name).unit), describe(name).help]),
);
const helpOf = (name: string): string => HELP.get(name) ?? name;

const labelsOf = (rows: readonly { readonly labels?: Labels }[]): string[] => [
  ...new Set(rows.flatMap(({ labels = {} }) => Object.keys(labels))),
];

function seriesIn<T>(all: Map<string, Map<string, T>>, name: string, labels: Labels, make: () => T): T {
  const series = all.get(name) ?? new Map<string, T>();
  all.set(name, series);
  // A record may name them in another order.
  const key = JSON.stringify(Object.entries(labels).sort());
  const row = series.get(key) ?? make();
  series.set(key, row);
  return row;
}

interface Emf {
  readonly _aws?: { readonly CloudWatchMetrics?: readonly Directive[] };
  readonly [field: string]: unknown;
}

interface Directive {
  readonly Dimensions?: readonly (readonly string[])[];
  readonly Metrics?: readonly { readonly Name: string; readonly Unit?: string }[];
}

function samples(line: string) {
  const record = recordIn(line);
  return (record?._aws?.CloudWatchMetrics ?? []).flatMap(({ Dimensions = [], Metrics = [] }) => {
    const dimensions = [...new Set(Dimensions.flat())].filter((name) => record?.[name] !== undefined);
    const labels = Object.fromEntries(dimensions.map((name) => [name.toLowerCase(), String(record?.[name])]));
    return Metrics.map(({ Name, Unit = "Count" }) => ({
      ...{ name: Name, unit: Unit, labels },
      values: [record?.[Name]].flat().filter((value) => typeof value === "number"),
    }));
  });
}

function recordIn(line: string): Emf | undefined {
  try {
    return JSON.parse(line) as Emf;
  } catch {
    return undefined;
  }
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + Math.max(0, value), 0);
