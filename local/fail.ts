import { TagwireError } from "../shared/protocol/errors.ts";
import { end } from "./end.ts";

/** Says why the router could not run, and ends the process. */
export function fail(fault: unknown): void {
  if (end(1)) console.error(`tagwire: ${reason(fault)}`);
}

function reason(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  if (fault instanceof TagwireError) return `${fault.code}: ${fault.message}`;
  const { code, port, address, hostname } = fault as NodeJS.ErrnoException &
    Readonly<Record<string, unknown>>;
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} is taken, set PORT to another`;
    case "EACCES":
      if (port === undefined) return fault.message;
      return `port ${port} needs rights that this user does not have, set PORT to 1024 or more`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `HOST must be an address of this machine, got "${address ?? hostname}"`;
    default:
      return fault.message;
  }
}
