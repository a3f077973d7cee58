import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { ConnectionRow } from "../../connections/connection.ts";
import type { Connections } from "../../ports.ts";
import type { ConnectionId } from "../../protocol/tag.ts";
import { ifHolds, onTable } from "../sdk/client.ts";
import { refreshOf, type Update, updateOf } from "./connection-change.ts";
import { fromRow, markOf, type Row, toRow } from "./connection-row.ts";

/** Connections as a DynamoDB table: partition key `connectionId`. */
export function dynamoConnections(client: DynamoDBClient, table: string): Connections {
  const read = (id: ConnectionId, now: number): Promise<ConnectionRow | undefined> =>
    onTable("reading a connection", async () => {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: table, Key: keyOf(id), ConsistentRead: true }),
      );
      const found = Item && fromRow(Item);
      return found && found.expiresAt > now ? found : undefined;
    });
  /** The row after a conditional write; undefined if the condition did not hold. */
  const update = ({ connectionId }: ConnectionRow, what: Update): Promise<ConnectionRow | undefined> =>
    onTable("writing a connection", async () => {
      let changed: Row | undefined;
      await ifHolds(async () => {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: keyOf(connectionId),
            ReturnValues: "ALL_NEW",
            ...what,
          }),
        );
        changed = Attributes;
      });
      return changed && fromRow(changed);
    });
  return {
    read,
    put: (connection) =>
      onTable("writing a connection", async () => {
        await client.send(new PutItemCommand({ TableName: table, Item: toRow(connection) }));
      }),
    async find(id, now) {
      const found = await read(id, now);
      return found && found.tokenExpiresAt > now ? found : undefined;
    },
    change: (row, change) => update(row, updateOf(row, change)),
    refresh: (row, refresh) => update(row, refreshOf(row, refresh)),
    settle: ({ connectionId, connectedAt, revision }, mark) =>
      onTable("writing a connection", () =>
        ifHolds(() =>
          client.send(
            new UpdateItemCommand({
              TableName: table,
              Key: keyOf(connectionId),
              UpdateExpression: "REMOVE #mark",
              ConditionExpression: "connectedAt = :at AND revision = :revision",
              ExpressionAttributeNames: { "#mark": markOf(mark) },
              ExpressionAttributeValues: {
                ":at": { N: String(connectedAt) },
                ":revision": { N: String(revision) },
              },
            }),
          ),
        ),
      ),
    delete: ({ connectionId, connectedAt }) =>
      onTable("deleting a connection", async () => {
        let row: Row | undefined;
        await ifHolds(async () => {
          const { Attributes } = await client.send(
            new DeleteItemCommand({
              TableName: table,
              Key: keyOf(connectionId),
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

const keyOf = (connectionId: ConnectionId) => ({ connectionId: { S: connectionId } });
