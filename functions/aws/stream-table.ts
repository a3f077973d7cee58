import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoStreams } from "../../shared/adapters/dynamodb/streams.ts";
import type { StreamPorts } from "../ports.ts";

/** The table of streams. Nothing if the settings keep none: then the function has no such table. */
export const streamTable = (client: DynamoDBClient, table: string | undefined): StreamPorts =>
  table ? { streams: dynamoStreams(client, table) } : {};
