import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { dynamoReceipts } from "../shared/adapters/aws/dynamo-receipts.ts";
import { emfTelemetry } from "../shared/adapters/powertools/telemetry.ts";
import { cancelMessage, readReceipt } from "../shared/pipeline/receipts.ts";
import { readEnv } from "../shared/settings.ts";
import { authorize, guarded, type HttpReply, problemReply, reply } from "./http.ts";
import { tokensOf } from "./tokens.ts";
import { settingsOf, tableClient } from "./wiring.ts";
import type { World } from "./world.ts";

/** GET and DELETE /messages/{id}. */
export function receiptsHandler(world: World) {
  const env = readEnv("receipts", world.env);
  const tokens = tokensOf(world, env.TOKENS);
  const { receiptDays: days, functions } = settingsOf(env.SETTINGS);
  const receipts = dynamoReceipts({
    client: tableClient(world, functions.receipts),
    table: env.RECEIPTS_TABLE,
    days,
  });
  const deps = { receipts, clock: world.clock };

  return async (event: APIGatewayProxyEventV2): Promise<HttpReply> => {
    const telemetry = emfTelemetry("receipts", world.write);
    return guarded(telemetry, async () => {
      const reader = await authorize(tokens, event);
      if (!reader.ok) return problemReply(reader.refusal);
      const producer = event.queryStringParameters?.["producer"];
      const asked = { id: event.pathParameters?.["id"] ?? "", ...(producer ? { producer } : {}) };
      const cancels = event.requestContext.http.method === "DELETE";
      const receipt = await (cancels ? cancelMessage : readReceipt)(deps, reader.value, asked);
      return receipt.ok ? reply(200, receipt.value) : problemReply(receipt.refusal);
    });
  };
}
