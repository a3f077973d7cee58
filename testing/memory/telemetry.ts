import type { Metric, Telemetry } from "../../shared/ports.ts";

export interface MemoryTelemetry extends Telemetry {
  total(metric: Metric): number;
  readonly warnings: { readonly event: string; readonly fields: object; readonly fault?: unknown }[];
}

/** What a run says about itself, kept to be looked at. */
export function memoryTelemetry(): MemoryTelemetry {
  const totals = new Map<Metric, number>();
  const warnings: MemoryTelemetry["warnings"] = [];
  return {
    warnings,
    total: (metric) => totals.get(metric) ?? 0,
    count(metric, value = 1) {
      totals.set(metric, (totals.get(metric) ?? 0) + value);
    },
    warn(event, fields, fault) {
      warnings.push({ event, fields, fault });
    },
  };
}
