import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  APIGatewayProxyWebsocketEventV2,
  Context,
  SQSBatchResponse,
  SQSEvent,
} from "aws-lambda";
import { connectionsFunction } from "../../functions/aws/connections.ts";
import { consumeFunction } from "../../functions/aws/consume.ts";
import { ingestFunction } from "../../functions/aws/ingest.ts";
import { receiptsFunction } from "../../functions/aws/receipts.ts";
import type { Runtime } from "../../functions/aws/runtime.ts";
import { socketFunction } from "../../functions/aws/socket.ts";
import type { FunctionName } from "../../shared/settings/variables.ts";

export type Handler<Event, Reply> = (event: Event, context: Context) => Promise<Reply>;
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

/** The functions as this runtime makes and invokes them. */
export type Handlers = {
  readonly [F in FunctionName]: (runtime: Runtime) => Handler<Events[F], Replies[F]>;
};

/** What the stack deploys. */
export const REAL_HANDLERS: Handlers = {
  ingest: ingestFunction,
  receipts: receiptsFunction,
  connections: connectionsFunction,
  consume: consumeFunction,
  socket: socketFunction,
};
