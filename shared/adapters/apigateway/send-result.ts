import type { CloseResult, GatewayState, SendResult } from "../../ports.ts";
import type { ConnectionId } from "../../protocol/tag.ts";

/**
 * What a failed send means, by its status alone: emulators leave the error's name out. No status means that
 * nothing answered. 403 and 404 tell of a policy or a stage that is wrong or not there yet, never of the connection.
 */
export function failedSend(status: number | undefined, reason: string): SendResult {
  switch (status) {
    case 410:
      return { kind: "gone" };
    case 429:
      return { kind: "throttled", reason };
    case 400:
    case 413:
      return { kind: "refused", reason };
    case 403:
    case 404:
      return { kind: "unavailable", reason, forbidden: true };
    default:
      return { kind: "unavailable", reason };
  }
}

/** Whom a probe asks for. API Gateway's ids end in "=", so no connection has this one. */
export const PROBED = "tagwire-probe" as ConnectionId;

/** What the status of a probe's answer says of the gateway. No status means that nothing answered. */
export function gatewayState(status: number | undefined): GatewayState {
  if (status === 410 || status === 400) return "up";
  return status === 429 ? "throttled" : "down";
}

/** What a failed close means, by its status. An id that the gateway refuses (400) is no connection's. */
export function failedClose(status: number | undefined, reason: string): CloseResult {
  const failed = failedSend(status, reason);
  switch (failed.kind) {
    case "throttled":
    case "unavailable":
      return failed;
    default:
      return { kind: "gone" };
  }
}
