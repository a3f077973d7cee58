import { Counter, Gauge, Registry } from "prom-client";
import { warningLine } from "../shared/adapters/emf/warning.ts";
import type { Metric, RunTelemetry } from "../shared/ports.ts";

type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  /** Returns the telemetry of a function: it counts here, and writes its warnings as JSON lines. One is enough for all runs. */
  telemetry(service: string, write: (line: string) => void): RunTelemetry;
  /** Takes a line that a function printed; counts it where it is an EMF record. */
  read(line: string): void;
  /** All counters since the start, and the gauges given, as Prometheus text. */
  render(gauges: Readonly<Record<string, number>>): Promise<string>;
}

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Whether a printed line is an EMF record; all others are logs. Cheap, so that logs need no parsing. */
export const isMetricRecord = (line: string): boolean => line.includes('"CloudWatchMetrics"');

/** Makes Prometheus counters out of the metric records that functions print (CloudWatch embedded metric format). */
export function metrics(): Metrics {
  const totals = new Map<string, Map<string, { labels: Labels; total: number }>>();
  /** What was counted since the last rendering, by service: a name and labels are made then. */
  const counted = new Map<string, Map<Metric, number>>();

  const add = (name: string, labels: Labels, value: number) => {
    const series = totals.get(name) ?? new Map<string, { labels: Labels; total: number }>();
    totals.set(name, series);
    const key = JSON.stringify(labels);
    const row = series.get(key);
    if (row) row.total += value;
    else series.set(key, { labels, total: value });
  };

  return {
    telemetry(service, write) {
      const counts = counted.get(service) ?? new Map<Metric, number>();
      counted.set(service, counts);
      return {
        count(metric, value = 1) {
          if (value > 0) counts.set(metric, (counts.get(metric) ?? 0) + value);
        },
        warn: (event, fields, fault) => write(warningLine(service, event, fields, fault)),
        flush() {},
      };
    },
    read(line) {
      if (!isMetricRecord(line)) return;
      for (const { name, labels, value } of samples(line)) add(name, labels, value);
    },
    // Built when asked for: a counter must know all its labels at birth, and a record may bring new ones.
    async render(gauges) {
      for (const [service, counts] of counted) {
        for (const [metric, value] of counts)
          add(`tagwire_${snake(metric)}_total`, { router: "local", service }, value);
        counts.clear();
      }
      const registry = new Registry();
      for (const [name, series] of totals) {
        const rows = [...series.values()];
        const labelNames = [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))];
        const counter = new Counter({ name, help: name, labelNames, registers: [registry] });
        for (const { labels, total } of rows) counter.inc(labels, total);
      }
      for (const [name, value] of Object.entries(gauges)) {
        new Gauge({ name, help: name, registers: [registry] }).set(value);
      }
      return registry.metrics();
    },
  };
}

interface Emf {
  readonly _aws?: { readonly CloudWatchMetrics?: readonly Directive[] };
  readonly [field: string]: unknown;
}

interface Directive {
  readonly Dimensions?: readonly (readonly string[])[];
  readonly Metrics?: readonly { readonly Name: string }[];
}

function samples(line: string): { name: string; labels: Labels; value: number }[] {
  const record = recordIn(line);
  return (record?._aws?.CloudWatchMetrics ?? []).flatMap(({ Dimensions = [], Metrics = [] }) => {
    const dimensions = [...new Set(Dimensions.flat())].filter((name) => record?.[name] !== undefined);
    const labels = Object.fromEntries(dimensions.map((name) => [snake(name), String(record?.[name])]));
    return Metrics.map(({ Name }) => ({
      name: `tagwire_${snake(Name)}_total`,
      labels,
      value: sum(record?.[Name]),
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

const sum = (value: unknown): number =>
  [value].flat().reduce<number>((total, n) => total + (typeof n === "number" && n > 0 ? n : 0), 0);

const snake = (name: string) =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();
