import type { Count, Measure } from "../metric.ts";
import type { Lane } from "../protocol/lane.ts";

/** Fields of a record of the log. MUST NOT contain a token or a payload. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The metrics and the log of one run. */
export interface Telemetry {
  count(metric: Count, value?: number): void;
  /** Adds one measurement, in the unit of the metric. `lane` is for those that METRICS has by lane. */
  observe(metric: Measure, value: number, lane?: Lane): void;
  /** Logs an event for an operator: a stable name and its fields. */
  warn(event: string, fields: LogFields, fault?: unknown): void;
  /** Logs a step of a message or a connection. Absent if such steps are not logged: then they cost nothing. */
  readonly info?: ((event: string, fields: LogFields) => void) | undefined;
}

export interface RunTelemetry extends Telemetry {
  /** Writes what the run counted. Called at its end. */
  flush(): void;
}
