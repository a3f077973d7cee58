import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { clientConfig, requestHandler } from "../shared/adapters/aws/client.ts";
import { leanSockets } from "../shared/adapters/aws/lean-sockets.ts";
import type { DeliveryPolicy } from "../shared/domain/policy.ts";
import type { Sockets } from "../shared/ports.ts";
import type { World } from "./world.ts";

type Policy = Pick<DeliveryPolicy, "postPath" | "postTimeout" | "postsInFlight">;

/** The sockets by the post path of the settings. Region and credentials are those of the other client. */
export function socketsOf(
  world: World,
  endpoint: string,
  { postPath, postTimeout: timeout, postsInFlight: connections }: Policy,
  { config: { region, credentials } }: Pick<DynamoDBClient, "config">,
): Sockets {
  return postPath === "lean"
    ? leanSockets({ endpoint, region, credentials, timeout, connections, now: world.clock.now })
    : sdkSockets(world, endpoint, timeout, connections);
}

/** Loaded only where it is asked for, since no default function needs its client. */
function sdkSockets(world: World, endpoint: string, timeout: number, connections: number): Sockets {
  const sockets = Promise.all([
    import("@aws-sdk/client-apigatewaymanagementapi"),
    import("../shared/adapters/aws/gateway-sockets.ts"),
  ]).then(([{ ApiGatewayManagementApiClient }, { gatewaySockets }]) =>
    gatewaySockets(
      new ApiGatewayManagementApiClient({
        ...clientConfig(world.env, "APIGATEWAYMANAGEMENTAPI"),
        endpoint,
        maxAttempts: 1,
        requestHandler: requestHandler(timeout, connections),
      }),
    ),
  );
  return { post: async (id, frame) => (await sockets).post(id, frame) };
}
