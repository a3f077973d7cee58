import { dynamoConnections } from "../../shared/adapters/dynamodb/connections.ts";
import { readEnv } from "../../shared/settings/variables.ts";
import { socketHandler } from "../socket.ts";
import { closingPolicy, socketsOf } from "./callback.ts";
import type { Runtime } from "./runtime.ts";
import { settingsOf } from "./settings.ts";
import { streamTable } from "./stream-table.ts";
import { subscriptionsOf, tableClient } from "./table-client.ts";
import { tokensOf } from "./token-source.ts";
import { telemetryOf } from "./wiring.ts";

/** The function behind the WebSocket API. */
export function socketFunction(runtime: Runtime) {
  const env = readEnv("socket", runtime.env);
  const { clock, random } = runtime;
  const settings = settingsOf(env);
  const size = settings.advanced.functions.socket;
  const client = tableClient(runtime, size);
  return socketHandler({
    tokens: tokensOf(runtime, env.TOKENS),
    connections: dynamoConnections(client, env.CONNECTIONS_TABLE),
    subscriptions: subscriptionsOf(runtime, client, env.SUBSCRIPTIONS_TABLE, settings),
    sockets: socketsOf(runtime, env.SOCKET_ENDPOINT, closingPolicy(size), client),
    ...streamTable(client, env.STREAMS_TABLE),
    settings,
    clock,
    random,
    telemetry: telemetryOf(runtime, "socket", env.ROUTER, settings),
  });
}
