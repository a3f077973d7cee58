import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { signedSockets } from "../../shared/adapters/apigateway/signed-sockets.ts";
import type { Sockets } from "../../shared/ports.ts";
import type { DeliveryPolicy } from "../../shared/settings/policy.ts";
import type { ClientLimits } from "./clients.ts";
import type { Runtime } from "./runtime.ts";

/** The sockets behind a callback address. Region and credentials are those of the other client, which keeps them. */
export const socketsOf = (
  { clock }: Pick<Runtime, "clock">,
  endpoint: string,
  {
    sendTimeoutMilliseconds,
    sendsInFlight,
  }: Pick<DeliveryPolicy, "sendTimeoutMilliseconds" | "sendsInFlight">,
  { config: { region, credentials } }: Pick<DynamoDBClient, "config">,
): Sockets =>
  signedSockets({
    endpoint,
    region,
    credentials,
    timeout: sendTimeoutMilliseconds,
    connections: sendsInFlight,
    now: clock.now,
  });

/** How functions that close sockets call the gateway: two calls take at most half of their time. */
export const closingPolicy = ({ timeoutSeconds }: Pick<ClientLimits, "timeoutSeconds">) => ({
  sendTimeoutMilliseconds: Math.min(3_000, 250 * timeoutSeconds),
  sendsInFlight: 10,
});
