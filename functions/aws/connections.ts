import { dynamoConnections } from "../../shared/adapters/dynamodb/connections.ts";
import { readEnv } from "../../shared/settings/variables.ts";
import { connectionsHandler } from "../connections.ts";
import { closingPolicy, socketsOf } from "./callback.ts";
import type { Runtime } from "./runtime.ts";
import { settingsOf } from "./settings.ts";
import { subscriptionsOf, tableClient } from "./table-client.ts";
import { tokensOf } from "./token-source.ts";
import { telemetryOf } from "./wiring.ts";

/** The function that disconnects others. */
export function connectionsFunction(runtime: Runtime) {
  const env = readEnv("connections", runtime.env);
  const { clock, random } = runtime;
  const settings = settingsOf(env);
  const size = settings.advanced.functions.connections;
  const client = tableClient(runtime, size);
  return connectionsHandler({
    tokens: tokensOf(runtime, env.TOKENS),
    connections: dynamoConnections(client, env.CONNECTIONS_TABLE),
    subscriptions: subscriptionsOf(runtime, client, env.SUBSCRIPTIONS_TABLE, settings),
    sockets: socketsOf(runtime, env.SOCKET_ENDPOINT, closingPolicy(size), client),
    settings,
    clock,
    random,
    telemetry: telemetryOf(runtime, "connections", env.ROUTER, settings),
  });
}
