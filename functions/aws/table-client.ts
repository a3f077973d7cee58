import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import { clientConfig } from "../../shared/adapters/sdk/client.ts";
import { listParts } from "../../shared/connections/list-parts.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import type { SubscriptionPorts } from "../ports.ts";
import { clientOptions } from "./clients.ts";
import type { Runtime } from "./runtime.ts";
import type { Time } from "./wiring.ts";

/* What every function but ingest stands on: ingest reads a table so seldom that its container must not load the client at its start. */

export const tableClient = (runtime: Runtime, { timeoutSeconds }: Time): DynamoDBClient =>
  new DynamoDBClient({
    ...clientConfig(runtime.env, "DYNAMODB"),
    ...clientOptions({ timeoutSeconds, maxSockets: 100 }),
  });

export const subscriptionsOf = (
  { clock, random }: Pick<Runtime, "clock" | "random">,
  client: DynamoDBClient,
  table: string,
  { spreadTags }: Pick<Settings, "spreadTags">,
): SubscriptionPorts["subscriptions"] => {
  const parts = listParts(spreadTags);
  return (patience) => dynamoSubscriptions({ client, table, clock, random, patience, parts });
};
