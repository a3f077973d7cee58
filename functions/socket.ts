import type { APIGatewayProxyStructuredResultV2, APIGatewayProxyWebsocketEventV2 } from "aws-lambda";
import { dynamoConnections } from "../shared/adapters/aws/dynamo-connections.ts";
import { dynamoSubscriptions } from "../shared/adapters/aws/dynamo-subscriptions.ts";
import { emfTelemetry, type RunTelemetry } from "../shared/adapters/powertools/telemetry.ts";
import { type Result, refuse } from "../shared/domain/errors.ts";
import { errorFrame, refOf, type ServerFrame, SUBPROTOCOL } from "../shared/domain/frame.ts";
import type { Identity } from "../shared/domain/grant.ts";
import type { ConnectionId } from "../shared/domain/tag.ts";
import { answer, connect, disconnect, type SocketDeps } from "../shared/pipeline/socket.ts";
import { readEnv } from "../shared/settings.ts";
import { guarded, problemReply } from "./http.ts";
import { tokensOf } from "./tokens.ts";
import { settingsOf, tableClient } from "./wiring.ts";
import type { World } from "./world.ts";

/** What API Gateway adds to a $connect event, where the types of the event leave it out. */
type ConnectEvent = APIGatewayProxyWebsocketEventV2 & {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
};

/** $connect, $disconnect and every frame. */
export function socketHandler(world: World) {
  const env = readEnv("socket", world.env);
  const tokens = tokensOf(world, env.TOKENS);
  const { sockets: policy, functions } = settingsOf(env.SETTINGS);
  const client = tableClient(world, functions.socket);
  const deps = {
    connections: dynamoConnections(client, env.CONNECTIONS_TABLE),
    subscriptions: dynamoSubscriptions(client, env.SUBSCRIPTIONS_TABLE),
    clock: world.clock,
    policy,
  };

  const verify = (token: string | undefined): Promise<Result<Identity>> =>
    token
      ? tokens.verify(token)
      : Promise.resolve(
          refuse(
            "TOKEN_MISSING",
            `connect with ?token=<jwt> or the sub-protocols ${SUBPROTOCOL}, token.<jwt>`,
          ),
        );

  const onConnect = async (
    event: ConnectEvent,
    to: SocketDeps,
  ): Promise<APIGatewayProxyStructuredResultV2> => {
    const offered = header(event, "sec-websocket-protocol")
      .split(",")
      .map((name) => name.trim());
    const carried = offered.find((name) => name.startsWith("token."))?.slice("token.".length);
    const identity = await verify(event.queryStringParameters?.["token"] ?? carried);
    if (!identity.ok) return problemReply(identity.refusal);
    await connect(to, socketOf(event), identity.value);
    const agreed = offered.includes(SUBPROTOCOL)
      ? { headers: { "Sec-WebSocket-Protocol": SUBPROTOCOL } }
      : {};
    return { statusCode: 200, ...agreed };
  };

  return async (event: ConnectEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const telemetry = emfTelemetry("socket", world.write);
    const to = { ...deps, telemetry };
    const { routeKey } = event.requestContext;
    return routeKey === "$default"
      ? onFrame(event, to)
      : guarded(telemetry, async () => {
          if (routeKey === "$connect") return onConnect(event, to);
          await disconnect(to, socketOf(event));
          return { statusCode: 200 };
        });
  };
}

/** A frame is always answered with a frame, where a fault was in the way too. */
function onFrame(
  event: ConnectEvent,
  to: SocketDeps & { readonly telemetry: RunTelemetry },
): Promise<APIGatewayProxyStructuredResultV2> {
  const text = event.body ?? "";
  return guarded(
    to.telemetry,
    async () => frameReply(await answer(to, socketOf(event).connectionId, text)),
    (refusal) => frameReply(errorFrame(refusal, refOf(text))),
  );
}

const frameReply = (frame: ServerFrame) => ({ statusCode: 200, body: JSON.stringify(frame) });

const header = ({ headers = {} }: ConnectEvent, name: string): string =>
  Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? "";

const socketOf = ({ requestContext }: ConnectEvent) => ({
  connectionId: requestContext.connectionId as ConnectionId,
  connectedAt: requestContext.connectedAt,
});
