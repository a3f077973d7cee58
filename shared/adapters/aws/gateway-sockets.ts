import {
  type ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import type { PostEnding, Sockets } from "../../ports.ts";
import { failedPost } from "./post-ending.ts";

/** Sockets behind the API Gateway management API, through its SDK client: the reference for `leanSockets`. */
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

/** SDK v3 errors have no `statusCode`. */
function endingOf(fault: unknown): PostEnding {
  const status = statusOf(fault);
  const reason = fault instanceof Error ? `${status ?? fault.name}: ${fault.message}` : String(fault);
  return failedPost(status, reason);
}

function statusOf(fault: unknown): number | undefined {
  if (typeof fault !== "object" || fault === null || !("$metadata" in fault)) return undefined;
  return (fault.$metadata as { httpStatusCode?: number }).httpStatusCode;
}
