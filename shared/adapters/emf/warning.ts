import type { Telemetry } from "../../ports.ts";

/** A warning as a line of the log. */
export function warningLine(
  ...[service, message, fields, fault]: [string, ...Parameters<Telemetry["warn"]>]
): string {
  const named =
    fault === undefined
      ? {}
      : { fault: fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault) };
  return JSON.stringify({ level: "WARN", service, message, ...fields, ...named });
}
