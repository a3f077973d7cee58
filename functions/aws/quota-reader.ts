import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoQuotaBeats } from "../../shared/adapters/dynamodb/quota-beats.ts";
import { clientConfig } from "../../shared/adapters/sdk/client.ts";
import type { QuotaBeats } from "../../shared/ports.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { clientOptions } from "./clients.ts";
import type { Runtime } from "./runtime.ts";

/** Seconds for a read beside a request, which does without it if need be. */
const TIME = 1;

/** Reads what the containers of a quota say that they send. */
export function quotaReader(
  { env, clock }: Runtime,
  table: string,
  { quotaName }: Pick<Settings, "quotaName">,
): Pick<QuotaBeats, "read"> {
  const client = new DynamoDBClient({
    ...clientConfig(env, "DYNAMODB"),
    ...clientOptions({ timeoutSeconds: TIME, maxSockets: 2 }),
  });
  return dynamoQuotaBeats({ client, table, quota: quotaName, now: () => clock.now() });
}
