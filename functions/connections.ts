import {
  type DisconnectDeps,
  disconnectConnection,
  disconnectUser,
} from "../shared/pipeline/socket/disconnect-user.ts";
import type { Connections, Sockets, Tokens } from "../shared/ports.ts";
import { type Disconnected, DisconnectQuery } from "../shared/protocol/disconnected.ts";
import { type Result, refuse } from "../shared/protocol/errors.ts";
import { parse } from "../shared/protocol/parse.ts";
import { ConnectionId, UserId } from "../shared/protocol/tag.ts";
import type { HandlerPorts, RunContext, SubscriptionPorts } from "./ports.ts";
import { type HttpEvent, methodOf, pathParameterOf, queryOf, requestIdOf } from "./runtime/event.ts";
import { authorize, guarded, type HttpReply, problemReply, reply, requestFields } from "./runtime/http.ts";

/** The part of its time that a run must have left to close more: what it closes then is over in the rest. */
const ENOUGH = 0.7;

export interface ConnectionsPorts extends HandlerPorts, SubscriptionPorts {
  readonly tokens: Tokens;
  readonly connections: Connections;
  readonly sockets: Pick<Sockets, "send" | "close">;
}

/**
 * DELETE /v1/users/{user}/connections and DELETE /v1/connections/{id}. A function of its own: no other that HTTP reaches
 * may close sockets or delete the rows of connections.
 */
export function connectionsHandler(ports: ConnectionsPorts) {
  const { tokens, connections, sockets, clock, settings } = ports;
  const { timeoutSeconds } = settings.advanced.functions.connections;

  const runDeps = (context: RunContext): DisconnectDeps => {
    const deadline = clock.monotonic() + context.getRemainingTimeInMillis();
    const patience = () => deadline - clock.monotonic();
    return {
      ...{ connections, sockets, clock },
      subscriptions: ports.subscriptions(patience),
      hasTime: () => patience() >= ENOUGH * timeoutSeconds * 1_000,
    };
  };

  return async (event: HttpEvent, context: RunContext): Promise<HttpReply> =>
    guarded({ telemetry: ports.telemetry(), fields: requestFields(requestIdOf(event)) }, async () => {
      const caller = await authorize(tokens, event);
      if (!caller.ok) return problemReply(caller.refusal);
      if (!caller.value.admin) return problemReply(NO_GRANT.refusal);
      if (methodOf(event) !== "DELETE") return problemReply(NO_ROUTE.refusal);
      const disconnected = await disconnect(runDeps(context), event);
      return disconnected.ok ? reply(200, disconnected.value) : problemReply(disconnected.refusal);
    });
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
