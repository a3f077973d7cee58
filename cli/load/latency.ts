import { createHistogram } from "node:perf_hooks";

/** Percentiles, in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface Bucket {
  /** In milliseconds; the last bucket has none. */
  readonly upTo?: number;
  readonly count: number;
}

export interface Latency {
  record(milliseconds: number): void;
  count(): number;
  /** Undefined where nothing was recorded. */
  percentiles(): Percentiles | undefined;
  /** From the first bucket that is not empty to the last. */
  buckets(): readonly Bucket[];
}

const EDGES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000];
/** The histogram keeps three digits, of microseconds, up to an hour. */
const HIGHEST = 3_600_000_000;

export function latency(): Latency {
  const histogram = createHistogram({ lowest: 1, highest: HIGHEST, figures: 3 });
  const counts = new Uint32Array(EDGES.length + 1);
  const milliseconds = (microseconds: number) => Math.round(microseconds) / 1000;
  return {
    record(took) {
      histogram.record(Math.min(HIGHEST, Math.max(1, Math.round(took * 1000))));
      const at = EDGES.findIndex((edge) => took <= edge);
      const bucket = at < 0 ? EDGES.length : at;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    },
    count: () => histogram.count,
    percentiles() {
      if (histogram.count === 0) return undefined;
      const at = (percentile: number) => milliseconds(histogram.percentile(percentile));
      return { p50: at(50), p90: at(90), p99: at(99), max: milliseconds(histogram.max) };
    },
    buckets() {
      const all = [...counts].map((count, i): Bucket => {
        const upTo = EDGES[i];
        return { ...(upTo === undefined ? {} : { upTo }), count };
      });
      const first = all.findIndex(({ count }) => count > 0);
      const last = all.findLastIndex(({ count }) => count > 0);
      return first < 0 ? [] : all.slice(first, last + 1);
    },
  };
}
