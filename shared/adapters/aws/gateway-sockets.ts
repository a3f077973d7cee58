import {
  type ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import type { PostEnding, Sockets } from "../../ports.ts";

/** Sockets behind the API Gateway management API. */
export const gatewaySockets = (client: ApiGatewayManagementApiClient): Sockets => ({
  async post(id, frame) {
    try {
      await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: frame }));
      return { kind: "sent" };
    } catch (fault) {
      return endingOf(fault);
    }
  },
});

/** By status, not by name: emulators leave the error's name out, and SDK v3 has no `statusCode`. */
function endingOf(fault: unknown): PostEnding {
  const status = statusOf(fault);
  const reason = fault instanceof Error ? `${status ?? fault.name}: ${fault.message}` : String(fault);
  if (status === 410) return { kind: "gone" };
  if (status === 400 || status === 403 || status === 404 || status === 413)
    return { kind: "refused", reason };
  return { kind: "busy", reason, ...(status === 429 ? { throttled: true } : {}) };
}

function statusOf(fault: unknown): number | undefined {
  if (typeof fault !== "object" || fault === null || !("$metadata" in fault)) return undefined;
  return (fault.$metadata as { httpStatusCode?: number }).httpStatusCode;
}
