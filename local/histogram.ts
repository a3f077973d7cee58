import { Gauge, type MetricObjectWithValues, type MetricType, type MetricValue } from "prom-client";

/** How many measurements were at most each bound, and their sum, in Prometheus's base unit. */
export interface Distribution {
  /** Takes a measurement in the unit of the metric. */
  add(value: number): void;
  readonly bounds: readonly number[];
  /** How many were in each bucket, the last of which has no upper bound. */
  readonly counts: readonly number[];
  readonly sum: () => number;
}

/** Seconds, from what a frame takes on one machine to what a message waits for in an outage. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];
const RATIOS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1];

/** An empty distribution for measurements in `Milliseconds` or `Percent`. A measurement costs some comparisons. */
export function buckets(unit: string): Distribution {
  const [bounds, divisor] = unit === "Percent" ? [RATIOS, 100] : [SECONDS, 1_000];
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  let sum = 0;
  return {
    bounds,
    counts,
    sum: () => sum,
    add(value) {
      const base = Math.max(0, value) / divisor;
      sum += base;
      let at = 0;
      while (at < bounds.length && base > (bounds[at] ?? 0)) at++;
      counts[at] = (counts[at] ?? 0) + 1;
    },
  };
}

interface Row {
  readonly labels: Readonly<Record<string, string>>;
  readonly of: Distribution;
}

/** A histogram that was counted outside of prom-client, whose own takes a microsecond for each measurement. */
export class Histogram extends Gauge {
  readonly #metric: MetricObjectWithValues<MetricValue<string>>;

  constructor(name: string, help: string, rows: readonly Row[]) {
    super({ name, help, registers: [] });
    const values = rows.flatMap(({ labels, of }) => {
      let total = 0;
      const le = [...of.bounds, "+Inf"].map((bound, at) => {
        total += of.counts[at] ?? 0;
        return { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: total };
      });
      return [
        ...le,
        { metricName: `${name}_sum`, labels, value: of.sum() },
        { metricName: `${name}_count`, labels, value: total },
      ];
    });
    this.#metric = {
      name,
      help,
      type: "histogram" as unknown as MetricType,
      aggregator: "sum",
      values,
      collect() {},
    };
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    return this.#metric;
  }
}
