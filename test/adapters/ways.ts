import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { onTestFinished } from "vitest";
import { socketsOf } from "../../functions/sockets.ts";
import { tableClient } from "../../functions/wiring.ts";
import type { World } from "../../functions/world.ts";
import { clientConfig, requestHandler } from "../../shared/adapters/aws/client.ts";
import { gatewaySockets } from "../../shared/adapters/aws/gateway-sockets.ts";
import type { DeliveryPolicy } from "../../shared/domain/policy.ts";
import type { Sockets } from "../../shared/ports.ts";

type Policy = Pick<DeliveryPolicy, "postTimeout" | "postsInFlight">;

/** Sockets behind API Gateway: exactly as the consumer makes them, and by the client of the SDK, their reference. */
export const WAYS: Readonly<Record<string, (world: World, endpoint: string, policy: Policy) => Sockets>> = {
  "the functions": (world, endpoint, policy) => {
    const tables = tableClient(world, { timeoutSeconds: 10 });
    onTestFinished(() => tables.destroy());
    return socketsOf(world, endpoint, policy, tables);
  },
  "the SDK": ({ env }, endpoint, { postTimeout, postsInFlight }) => {
    const client = new ApiGatewayManagementApiClient({
      ...clientConfig(env, "APIGATEWAYMANAGEMENTAPI"),
      endpoint,
      maxAttempts: 1,
      requestHandler: requestHandler(postTimeout, postsInFlight),
    });
    onTestFinished(() => client.destroy());
    return gatewaySockets(client);
  },
};
