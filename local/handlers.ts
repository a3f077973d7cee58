import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  APIGatewayProxyWebsocketEventV2,
  Context,
  SQSBatchResponse,
  SQSEvent,
} from "aws-lambda";
import type { World } from "../functions/world.ts";
import { FUNCTIONS, type FunctionName } from "../shared/settings.ts";

export type Handler<Event, Reply> = (event: Event, context: Context) => Promise<Reply>;
interface Events {
  readonly ingest: APIGatewayProxyEventV2;
  readonly receipts: APIGatewayProxyEventV2;
  readonly consume: SQSEvent;
  readonly socket: APIGatewayProxyWebsocketEventV2;
}

interface Replies {
  readonly ingest: APIGatewayProxyStructuredResultV2;
  readonly receipts: APIGatewayProxyStructuredResultV2;
  readonly consume: SQSBatchResponse;
  readonly socket: APIGatewayProxyStructuredResultV2;
}

export type EventOf<F extends FunctionName> = Events[F];
export type ReplyOf<F extends FunctionName> = Replies[F];

/** The functions as this runtime makes and invokes them. */
export type Handlers = {
  readonly [F in FunctionName]: (world: World) => Handler<Events[F], Replies[F]>;
};

/** The functions of functions/, but those that are given. */
export async function realHandlers(given: Partial<Handlers> = {}): Promise<Handlers> {
  const load = async (name: FunctionName) => {
    const module = await import(new URL(`../functions/${name}.ts`, import.meta.url).href);
    return [name, module[`${name}Handler`]] as const;
  };
  const missing = FUNCTIONS.filter((name) => given[name] === undefined);
  return Object.fromEntries(await Promise.all(missing.map(load))) as unknown as Handlers;
}
