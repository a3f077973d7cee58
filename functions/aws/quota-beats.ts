import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoQuotaBeats } from "../../shared/adapters/dynamodb/quota-beats.ts";
import { clientConfig } from "../../shared/adapters/sdk/client.ts";
import type { QuotaBeats } from "../../shared/ports.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { clientOptions } from "./clients.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Seconds in which two calls could be made in turn. A beat that takes longer than the time to the next is given up, and
 * a request goes on without a read that takes longer.
 */
const TIME = 1;

/** How the containers of a quota tell each other what they send. */
export function quotaBeatsOf(
  { env, clock }: Pick<Runtime, "env" | "clock">,
  table: string,
  { quotaName }: Pick<Settings, "quotaName">,
): QuotaBeats {
  // The adapter reads the time of the table's answers, so it has a client of its own.
  const client = new DynamoDBClient({
    ...clientConfig(env, "DYNAMODB"),
    ...clientOptions({ timeoutSeconds: TIME, maxSockets: 2 }),
  });
  return dynamoQuotaBeats({ client, table, quota: quotaName, now: () => clock.now() });
}
