import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { Metric, RunTelemetry } from "../../ports.ts";
import { warningLine } from "./warning.ts";

/**
 * A run's telemetry: counts are gathered and written as one EMF record, warnings as a JSON line each. Counts go to CloudWatch through the log, in its embedded metric format. The router is a dimension beside the service,
 * so that two routers of one account and Region do not add up.
 */
export function emfTelemetry(service: string, write: (line: string) => void, router: string): RunTelemetry {
  const counts = new Map<Metric, number>();
  return {
    count(metric, value = 1) {
      if (value !== 0) counts.set(metric, (counts.get(metric) ?? 0) + value);
    },
    warn(event, fields, fault) {
      write(warningLine(service, event, fields, fault));
    },
    flush() {
      if (counts.size === 0) return;
      const metrics = metricsOf(service, router);
      for (const [metric, value] of counts) metrics.addMetric(metric, MetricUnit.Count, value);
      counts.clear();
      write(JSON.stringify(metrics.serializeMetrics()));
      metrics.clearMetrics();
    },
  };
}

/** Kept, since making one costs more than all that is done with it; it is empty between two flushes. */
const kept = new Map<string, Metrics>();

function metricsOf(service: string, router: string): Metrics {
  const key = JSON.stringify([service, router]);
  const metrics =
    kept.get(key) ??
    new Metrics({ namespace: "Tagwire", serviceName: service, defaultDimensions: { router } });
  kept.set(key, metrics);
  return metrics;
}
