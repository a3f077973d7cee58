import { dynamoReceipts } from "../../shared/adapters/dynamodb/receipts.ts";
import { readEnv } from "../../shared/settings/variables.ts";
import { receiptsHandler } from "../receipts.ts";
import type { Runtime } from "./runtime.ts";
import { settingsOf } from "./settings.ts";
import { streamTable } from "./stream-table.ts";
import { tableClient } from "./table-client.ts";
import { tokensOf } from "./token-source.ts";
import { telemetryOf } from "./wiring.ts";

/** The function of receipts and history. */
export function receiptsFunction(runtime: Runtime) {
  const env = readEnv("receipts", runtime.env);
  const { clock, random } = runtime;
  const settings = settingsOf(env);
  const client = tableClient(runtime, settings.advanced.functions.receipts);
  const receipts = dynamoReceipts({
    client,
    table: env.RECEIPTS_TABLE,
    days: settings.receiptRetentionDays,
  });
  return receiptsHandler({
    tokens: tokensOf(runtime, env.TOKENS),
    receipts,
    ...streamTable(client, env.STREAMS_TABLE),
    settings,
    clock,
    random,
    telemetry: telemetryOf(runtime, "receipts", env.ROUTER, settings),
  });
}
