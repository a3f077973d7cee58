import type { Context } from "aws-lambda";
import { connectionsFunction } from "../../../functions/aws/connections.ts";
import { consumeFunction } from "../../../functions/aws/consume.ts";
import { ingestFunction } from "../../../functions/aws/ingest.ts";
import { receiptsFunction } from "../../../functions/aws/receipts.ts";
import type { Runtime } from "../../../functions/aws/runtime.ts";
import { socketFunction } from "../../../functions/aws/socket.ts";
import type { FunctionName } from "../../../shared/settings/variables.ts";
import type { EventOf, ReplyOf } from "../../invocation.ts";

export type Handler<Event, Reply> = (event: Event, context: Context) => Promise<Reply>;
/** The functions as this runtime makes and invokes them. */
export type Handlers = {
  readonly [F in FunctionName]: (runtime: Runtime) => Handler<EventOf<F>, ReplyOf<F>>;
};

/** What the stack deploys. */
export const REAL_HANDLERS: Handlers = {
  ingest: ingestFunction,
  receipts: receiptsFunction,
  connections: connectionsFunction,
  consume: consumeFunction,
  socket: socketFunction,
};
