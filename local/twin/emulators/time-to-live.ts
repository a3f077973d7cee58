import { DeleteItemCommand, type DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import type { TableDescription } from "../../../shared/settings/tables.ts";

/** Deletes the rows of a table whose time has passed, as DynamoDB does by itself. `now` is in milliseconds. */
export async function deleteExpired(
  client: DynamoDBClient,
  TableName: string,
  { partitionKey, sortKey, timeToLive }: TableDescription,
  now: number,
): Promise<void> {
  const expired = {
    ExpressionAttributeNames: { "#ttl": timeToLive },
    ExpressionAttributeValues: { ":now": { N: String(Math.floor(now / 1000)) } },
  };
  const pages = paginateScan({ client }, { TableName, FilterExpression: "#ttl < :now", ...expired });
  for await (const { Items = [] } of pages) {
    for (const item of Items) {
      const keys = Object.entries(item).filter(([name]) => name === partitionKey || name === sortKey);
      const Key = Object.fromEntries(keys);
      // Conditional, since the row may have been written again meanwhile.
      await client
        .send(new DeleteItemCommand({ TableName, Key, ConditionExpression: "#ttl < :now", ...expired }))
        .catch((fault: unknown) => {
          if (!(fault instanceof Error) || fault.name !== "ConditionalCheckFailedException") throw fault;
        });
    }
  }
}
