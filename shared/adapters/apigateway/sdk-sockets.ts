import {
  type ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import type { Sockets } from "../../ports.ts";
import { failedClose, failedSend, gatewayState, PROBED } from "./send-result.ts";

/** Sockets behind the API Gateway management API, through its SDK client: the reference for the others. */
export const gatewaySockets = (client: ApiGatewayManagementApiClient): Sockets => ({
  async send(id, frame) {
    try {
      await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: frame }));
      return { kind: "sent" };
    } catch (fault) {
      return failedSend(statusOf(fault), reasonOf(fault));
    }
  },
  async close(id) {
    try {
      await client.send(new DeleteConnectionCommand({ ConnectionId: id }));
      return { kind: "closed" };
    } catch (fault) {
      return failedClose(statusOf(fault), reasonOf(fault));
    }
  },
  async probe() {
    try {
      const { $metadata } = await client.send(new GetConnectionCommand({ ConnectionId: PROBED }));
      return gatewayState($metadata.httpStatusCode);
    } catch (fault) {
      return gatewayState(statusOf(fault));
    }
  },
});

const reasonOf = (fault: unknown): string =>
  fault instanceof Error ? `${statusOf(fault) ?? fault.name}: ${fault.message}` : String(fault);

/** SDK v3 errors have no `statusCode`. */
const statusOf = (fault: unknown): number | undefined =>
  (fault as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;
