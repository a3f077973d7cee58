import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoStreams } from "../../shared/adapters/dynamodb/streams.ts";
import type { HistoryDeps } from "../../shared/pipeline/socket/history.ts";
import type { StreamSettings } from "../../shared/streams/kept.ts";
import type { Runtime } from "./runtime.ts";

/** What reads streams for clients. Nothing if the settings keep none: then the function has no table of them. */
export const readsOf = (
  { clock, random }: Pick<Runtime, "clock" | "random">,
  client: DynamoDBClient,
  table: string | undefined,
  settings: StreamSettings,
): HistoryDeps =>
  table ? { reads: { streams: dynamoStreams(client, table), clock, random, settings } } : {};
