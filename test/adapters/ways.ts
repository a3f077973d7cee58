import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { onTestFinished } from "vitest";
import { socketsOf } from "../../functions/aws/callback.ts";
import type { Runtime } from "../../functions/aws/runtime.ts";
import { tableClient } from "../../functions/aws/table-client.ts";
import { gatewaySockets } from "../../shared/adapters/apigateway/sdk-sockets.ts";
import { clientConfig, requestHandler } from "../../shared/adapters/sdk/client.ts";
import type { Sockets } from "../../shared/ports.ts";
import type { DeliveryPolicy } from "../../shared/settings/policy.ts";

type Policy = Pick<DeliveryPolicy, "sendTimeoutMilliseconds" | "sendsInFlight">;

/** Sockets behind API Gateway: exactly as the consumer makes them, and by the client of the SDK, their reference. */
export const WAYS: Readonly<Record<string, (runtime: Runtime, endpoint: string, policy: Policy) => Sockets>> =
  {
    "the functions": (runtime, endpoint, policy) => {
      const tables = tableClient(runtime, { timeoutSeconds: 10 });
      onTestFinished(() => tables.destroy());
      return socketsOf(runtime, endpoint, policy, tables);
    },
    "the SDK": ({ env }, endpoint, { sendTimeoutMilliseconds, sendsInFlight }) => {
      const client = new ApiGatewayManagementApiClient({
        ...clientConfig(env, "APIGATEWAYMANAGEMENTAPI"),
        endpoint,
        maxAttempts: 1,
        requestHandler: requestHandler(sendTimeoutMilliseconds, sendsInFlight),
      });
      onTestFinished(() => client.destroy());
      return gatewaySockets(client);
    },
  };
