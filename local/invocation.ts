import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  APIGatewayProxyWebsocketEventV2,
  SQSBatchResponse,
  SQSEvent,
} from "aws-lambda";
import type { FunctionName } from "../shared/settings/variables.ts";

interface Events {
  readonly ingest: APIGatewayProxyEventV2;
  readonly receipts: APIGatewayProxyEventV2;
  readonly connections: APIGatewayProxyEventV2;
  readonly consume: SQSEvent;
  readonly socket: APIGatewayProxyWebsocketEventV2;
}

interface Replies {
  readonly ingest: APIGatewayProxyStructuredResultV2;
  readonly receipts: APIGatewayProxyStructuredResultV2;
  readonly connections: APIGatewayProxyStructuredResultV2;
  readonly consume: SQSBatchResponse;
  readonly socket: APIGatewayProxyStructuredResultV2;
}

export type EventOf<F extends FunctionName> = Events[F];
export type ReplyOf<F extends FunctionName> = Replies[F];

export type Invocation<Reply> =
  | { readonly kind: "returned"; readonly value: Reply }
  | { readonly kind: "crashed" }
  | { readonly kind: "timed-out" }
  | { readonly kind: "throttled" };

/** What a gateway makes of an invocation that it does not wait for any longer. */
export type InvocationResult<Reply> = Invocation<Reply> | { readonly kind: "overdue" };

/** The log line of a run that threw. */
export const crashLine = (name: string, requestId: string | undefined, fault: unknown) =>
  JSON.stringify({
    level: "ERROR",
    message: "function failed",
    function: name,
    requestId,
    error: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault),
  });
