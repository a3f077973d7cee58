import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, onTestFinished, test } from "vitest";
import { receiptsHandler } from "../../functions/receipts.ts";
import { CREDENTIALS, REGION } from "../../local/emulators/aws.ts";
import { tokenFor } from "../support/client.ts";
import { emulators } from "./support.ts";

const functions = emulators({ receiptRetentionDays: 30 });

test("the receipt of a cancel before any run is kept for its days, to the second", async () => {
  const { runtime } = functions.runtime("receipts");
  const answer = await receiptsHandler(runtime)({
    headers: { authorization: `Bearer ${await tokenFor("shop")}` },
    requestContext: { http: { method: "DELETE" } },
    pathParameters: { id: "early" },
  });
  expect(answer).toMatchObject({ statusCode: 200 });
  const { endpoint, names } = functions.tables();
  const client = new DynamoDBClient({ region: REGION, credentials: CREDENTIALS, endpoint });
  onTestFinished(() => client.destroy());
  const { Items = [] } = await client.send(new ScanCommand({ TableName: names.receipts }));
  const until = Math.floor(runtime.clock.now() / 1000) + 30 * 86_400;
  expect(Items.map(({ ttl }) => Number(ttl?.N))).toEqual([until]);
});
