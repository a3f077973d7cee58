import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { describe } from "../../metric.ts";
import type { Count, Measure, RunTelemetry } from "../../ports.ts";
import { faultFields } from "../../protocol/errors.ts";
import type { Lane } from "../../protocol/lane.ts";
import { type LogOptions, lineLogger } from "./logger.ts";

/** Powertools prints a record by itself once a metric has 100 values. A run measures ten messages at most. */
const VALUES = 99;

/**
 * Returns what makes the telemetry of a run. Metrics are gathered and written as EMF records, which CloudWatch reads from
 * the log: one for the run, and one for each lane that it measured. The router is a dimension beside the service, so that
 * two routers of one account and Region do not add up. The log has a JSON record a line.
 */
export function emfTelemetry(options: LogOptions): () => RunTelemetry {
  const { service, router, level, write } = options;
  const log = lineLogger(options);
  const info = (event: string, fields: object) => log.info(event, { ...fields });
  // Kept, since making one costs more than all that is done with it; it is empty between two flushes.
  const kept = new Map<Lane | undefined, Metrics>();
  const metricsOf = (lane: Lane | undefined): Metrics => {
    const dimensions = { router, ...(lane === undefined ? {} : { lane }) };
    const metrics =
      kept.get(lane) ??
      new Metrics({ namespace: "Tagwire", serviceName: service, defaultDimensions: dimensions });
    kept.set(lane, metrics);
    return metrics;
  };

  return () => {
    const counts = new Map<Count, number>();
    const measured = new Map<Lane | undefined, Map<Measure, number[]>>();
    return {
      count(metric, value = 1) {
        if (value !== 0) counts.set(metric, (counts.get(metric) ?? 0) + value);
      },
      observe(metric, value, lane) {
        const measures = measured.get(lane) ?? new Map<Measure, number[]>();
        measured.set(lane, measures);
        const values = measures.get(metric) ?? [];
        measures.set(metric, values);
        if (values.length < VALUES) values.push(value);
      },
      warn(event, fields, fault) {
        log.warn(event, { ...fields, ...faultFields(fault) });
      },
      ...(level === "info" ? { info } : {}),
      flush() {
        for (const lane of new Set([...(counts.size > 0 ? [undefined] : []), ...measured.keys()])) {
          const metrics = metricsOf(lane);
          if (lane === undefined)
            for (const [metric, value] of counts) metrics.addMetric(metric, MetricUnit.Count, value);
          for (const [metric, values] of measured.get(lane) ?? [])
            for (const value of values) metrics.addMetric(metric, describe(metric).unit, value);
          write(JSON.stringify(metrics.serializeMetrics()));
          metrics.clearMetrics();
        }
        counts.clear();
        measured.clear();
      },
    };
  };
}
