import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { ConnectionId, Tag, UserId } from "../../domain/tag.ts";
import type { Connection, Connections } from "../../ports.ts";
import { ifHolds, onTable } from "./client.ts";

/** Connections as a DynamoDB table: partition key `connectionId`. */
export function dynamoConnections(client: DynamoDBClient, table: string): Connections {
  const retag = (verb: "ADD" | "DELETE", connectionId: string, connectedAt: number, tags: readonly Tag[]) =>
    ifHolds(() =>
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: { connectionId: { S: connectionId } },
          UpdateExpression: `${verb} tags :tags`,
          ConditionExpression: "connectedAt = :at",
          ExpressionAttributeValues: {
            ":tags": { SS: [...new Set(tags)] },
            ":at": { N: String(connectedAt) },
          },
        }),
      ),
    );
  return {
    open: (connection) =>
      onTable("writing a connection", async () => {
        await client.send(new PutItemCommand({ TableName: table, Item: toRow(connection) }));
      }),
    find: (id, now) =>
      onTable("reading a connection", async () => {
        const { Item } = await client.send(
          new GetItemCommand({ TableName: table, Key: { connectionId: { S: id } }, ConsistentRead: true }),
        );
        const found = Item && fromRow(Item);
        return found && found.expiresAt > now ? found : undefined;
      }),
    hold: ({ connectionId, connectedAt }, tags) =>
      onTable("writing a connection", () => retag("ADD", connectionId, connectedAt, tags)),
    release: ({ connectionId, connectedAt }, tags) =>
      onTable("writing a connection", async () => {
        await retag("DELETE", connectionId, connectedAt, tags);
      }),
    close: ({ connectionId, connectedAt }) =>
      onTable("deleting a connection", async () => {
        let row: Record<string, AttributeValue> | undefined;
        await ifHolds(async () => {
          const { Attributes } = await client.send(
            new DeleteItemCommand({
              TableName: table,
              Key: { connectionId: { S: connectionId } },
              ReturnValues: "ALL_OLD",
              ...(connectedAt === undefined
                ? {}
                : {
                    ConditionExpression: "connectedAt = :at",
                    ExpressionAttributeValues: { ":at": { N: String(connectedAt) } },
                  }),
            }),
          );
          row = Attributes;
        });
        return row && fromRow(row);
      }),
  };
}

const toRow = (connection: Connection): Record<string, AttributeValue> => ({
  connectionId: { S: connection.connectionId },
  connectedAt: { N: String(connection.connectedAt) },
  user: { S: connection.user },
  tags: { SS: [...connection.tags] },
  subscribe: { S: JSON.stringify(connection.subscribe) },
  expiresAt: { N: String(connection.expiresAt) },
  ttl: { N: String(Math.floor(connection.expiresAt / 1000)) },
});

const fromRow = (row: Record<string, AttributeValue>): Connection => ({
  connectionId: row["connectionId"]?.S as ConnectionId,
  connectedAt: Number(row["connectedAt"]?.N),
  user: row["user"]?.S as UserId,
  tags: (row["tags"]?.SS ?? []) as Tag[],
  subscribe: JSON.parse(row["subscribe"]?.S ?? "[]") as string[],
  expiresAt: Number(row["expiresAt"]?.N),
});
