import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { clientConfig, requestHandler } from "../shared/adapters/aws/client.ts";
import { lean } from "../shared/adapters/aws/lean-client.ts";
import { leanSockets } from "../shared/adapters/aws/lean-sockets.ts";
import type { CallPath, DeliveryPolicy } from "../shared/domain/policy.ts";
import type { Clock, Sockets } from "../shared/ports.ts";
import { TIMEOUT } from "./wiring.ts";
import type { World } from "./world.ts";

type Policy = Pick<DeliveryPolicy, "callPath" | "postTimeout" | "postsInFlight">;

/** A client of tables or queues that makes its calls by the path of the settings. */
export const onPath = <C extends DynamoDBClient | SQSClient>(
  path: CallPath,
  client: C,
  { now }: Pick<Clock, "now">,
): C => (path === "lean" ? lean(client, { timeout: TIMEOUT, connections: 100, now }) : client);

/** The sockets by the post path of the settings. Region and credentials are those of the other client. */
export function socketsOf(
  world: World,
  endpoint: string,
  { callPath, postTimeout: timeout, postsInFlight: connections }: Policy,
  { config: { region, credentials } }: Pick<DynamoDBClient, "config">,
): Sockets {
  return callPath === "lean"
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
  return {
    send: async (id, frame) => (await sockets).send(id, frame),
    probe: async () => (await sockets).probe(),
  };
}
