import type { Context } from "aws-lambda";
import { dynamoConnections } from "../shared/adapters/dynamodb/connections.ts";
import { dynamoSubscriptions } from "../shared/adapters/dynamodb/subscriptions.ts";
import { emfTelemetry } from "../shared/adapters/emf/telemetry.ts";
import {
  type DisconnectDeps,
  disconnectConnection,
  disconnectUser,
} from "../shared/pipeline/socket/disconnect-user.ts";
import { type Disconnected, DisconnectQuery } from "../shared/protocol/disconnected.ts";
import { type Result, refuse } from "../shared/protocol/errors.ts";
import { parse } from "../shared/protocol/parse.ts";
import { ConnectionId, UserId } from "../shared/protocol/tag.ts";
import { readEnv } from "../shared/settings/variables.ts";
import { type HttpEvent, methodOf, pathParameterOf, queryOf } from "./runtime/event.ts";
import { authorize, guarded, type HttpReply, problemReply, reply } from "./runtime/http.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { closingPolicy, socketsOf } from "./runtime/sockets.ts";
import { tokensOf } from "./runtime/tokens.ts";
import { settingsOf, tableClient } from "./runtime/wiring.ts";

/** The part of its time that a run must have left to close more: what it closes then is over in the rest. */
const ENOUGH = 0.7;

/**
 * DELETE /v1/users/{user}/connections and DELETE /v1/connections/{id}. A function of its own: no other that HTTP reaches
 * may close sockets or delete the rows of connections.
 */
export function connectionsHandler(runtime: Runtime) {
  const { clock, random } = runtime;
  const env = readEnv("connections", runtime.env);
  const tokens = tokensOf(runtime, env.TOKENS);
  const size = settingsOf(env.SETTINGS).advanced.functions.connections;
  const client = tableClient(runtime, size);
  const deps = {
    connections: dynamoConnections(client, env.CONNECTIONS_TABLE),
    sockets: socketsOf(runtime, env.SOCKET_ENDPOINT, closingPolicy(size), client),
    clock,
  };

  const runDeps = (context: Pick<Context, "getRemainingTimeInMillis">): DisconnectDeps => {
    const deadline = clock.monotonic() + context.getRemainingTimeInMillis();
    const patience = () => deadline - clock.monotonic();
    const table = env.SUBSCRIPTIONS_TABLE;
    return {
      ...deps,
      subscriptions: dynamoSubscriptions({ client, table, clock, random, patience }),
      hasTime: () => patience() >= ENOUGH * size.timeoutSeconds * 1_000,
    };
  };

  return async (event: HttpEvent, context: Pick<Context, "getRemainingTimeInMillis">): Promise<HttpReply> => {
    const telemetry = emfTelemetry("connections", runtime.write, env.ROUTER);
    return guarded(telemetry, async () => {
      const caller = await authorize(tokens, event);
      if (!caller.ok) return problemReply(caller.refusal);
      if (!caller.value.admin) return problemReply(NO_GRANT.refusal);
      if (methodOf(event) !== "DELETE") return problemReply(NO_ROUTE.refusal);
      const disconnected = await disconnect(runDeps(context), event);
      return disconnected.ok ? reply(200, disconnected.value) : problemReply(disconnected.refusal);
    });
  };
}

async function disconnect(deps: DisconnectDeps, event: HttpEvent): Promise<Result<Disconnected>> {
  const query = parse(DisconnectQuery, queryOf(event), "REQUEST_INVALID");
  if (!query.ok) return query;
  const before = query.value.before === undefined ? undefined : Date.parse(query.value.before);
  const named = pathParameterOf(event, "user");
  if (named !== undefined) {
    const user = parse(UserId, named, "REQUEST_INVALID", "/user");
    return user.ok ? disconnectUser(deps, user.value, before) : user;
  }
  const id = parse(ConnectionId, pathParameterOf(event, "id") ?? "", "REQUEST_INVALID", "/id");
  return id.ok ? disconnectConnection(deps, id.value, before) : id;
}

const NO_GRANT = refuse("DISCONNECT_FORBIDDEN", "only a token with tagwire.admin may disconnect others");
const NO_ROUTE = refuse("ROUTE_NOT_FOUND", "connections are closed with DELETE");
