import {
  type ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { DeleteItemCommand, type DynamoDBClient, paginateQuery } from "@aws-sdk/client-dynamodb";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { Message } from "../../shared/protocol/message.ts";

export interface PlainConsumerDeps {
  readonly tables: DynamoDBClient;
  readonly posts: ApiGatewayManagementApiClient;
  /** Rows "this tag holds this connection", as the samples keep them too. */
  readonly table: string;
}

/**
 * The consumer as published samples write it: find the connections with a query, post to one after the other
 * through the SDK, delete those that are gone, and report the records that failed. No claim, no receipt, no retry
 * of its own, no bound on its time.
 */
export const plainConsumer =
  (deps: PlainConsumerDeps) =>
  async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    for (const { body, messageId } of Records) {
      try {
        await deliver(deps, (JSON.parse(body) as { message: Message }).message);
      } catch (fault) {
        console.error(fault);
        batchItemFailures.push({ itemIdentifier: messageId });
      }
    }
    return { batchItemFailures };
  };

async function deliver(deps: PlainConsumerDeps, { id, target, event, data, time }: Message): Promise<void> {
  const [first = "", ...others] = tagsOf(target);
  const keys = await keysOf(deps, first);
  for (const tag of others) {
    const also = await keysOf(deps, tag);
    for (const key of keys) if (!also.has(key)) keys.delete(key);
  }
  const Data = JSON.stringify({ id, target, event, data, time });
  for (const key of keys) {
    const ConnectionId = key.slice(key.indexOf("#") + 1);
    try {
      await deps.posts.send(new PostToConnectionCommand({ ConnectionId, Data }));
    } catch (fault) {
      if (!isGone(fault)) throw fault;
      const Key = { tag: { S: first }, key: { S: key } };
      await deps.tables.send(new DeleteItemCommand({ TableName: deps.table, Key }));
    }
  }
}

async function keysOf({ tables, table }: PlainConsumerDeps, tag: string): Promise<Set<string>> {
  const keys = new Set<string>();
  const pages = paginateQuery(
    { client: tables },
    {
      TableName: table,
      KeyConditionExpression: "tag = :tag",
      ExpressionAttributeValues: { ":tag": { S: tag } },
    },
  );
  for await (const { Items = [] } of pages) for (const { key } of Items) keys.add(key?.S ?? "");
  return keys;
}

function tagsOf(target: Message["target"]): readonly string[] {
  if ("user" in target) return [`user:${target.user}`];
  if ("topic" in target) return [`topic:${target.topic}`];
  if ("tags" in target) return target.tags.all ?? [];
  throw new Error("no such target here");
}

const isGone = (fault: unknown): boolean =>
  (fault as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 410;
