import type { Count, Measure, Telemetry } from "../../shared/ports.ts";

export interface MemoryTelemetry extends Telemetry {
  total(metric: Count): number;
  readonly measured: {
    readonly metric: Measure;
    readonly value: number;
    readonly lane?: string | undefined;
  }[];
  readonly steps: { readonly event: string; readonly fields: object }[];
  readonly warnings: { readonly event: string; readonly fields: object; readonly fault?: unknown }[];
}

/** What a run says about itself, kept to be looked at. */
export function memoryTelemetry(): MemoryTelemetry {
  const totals = new Map<Count, number>();
  const warnings: MemoryTelemetry["warnings"] = [];
  const measured: MemoryTelemetry["measured"] = [];
  const steps: MemoryTelemetry["steps"] = [];
  return {
    ...{ warnings, measured, steps },
    total: (metric) => totals.get(metric) ?? 0,
    count(metric, value = 1) {
      totals.set(metric, (totals.get(metric) ?? 0) + value);
    },
    observe: (metric, value, lane) => void measured.push({ metric, value, lane }),
    info: (event, fields) => void steps.push({ event, fields }),
    warn(event, fields, fault) {
      warnings.push({ event, fields, fault });
    },
  };
}
