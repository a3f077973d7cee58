import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoStreams } from "../../shared/adapters/dynamodb/streams.ts";
import type { RunStreamsDeps } from "../../shared/pipeline/consume/run-streams.ts";
import type { HistoryDeps } from "../../shared/pipeline/socket/history.ts";
import { rememberedHeads } from "../../shared/pipeline/streams/heads.ts";
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

/** What appends to streams. Nothing if the settings keep none. The container's runs share what it knows of heads. */
export const appendsOf = (
  { clock }: Pick<Runtime, "clock">,
  client: DynamoDBClient,
  table: string | undefined,
  kept: StreamSettings,
): Pick<RunStreamsDeps, "streams"> =>
  table ? { streams: { table: dynamoStreams(client, table), heads: rememberedHeads(clock), kept } } : {};
