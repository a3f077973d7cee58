import { dynamoReceipts } from "../shared/adapters/dynamodb/receipts.ts";
import { emfTelemetry } from "../shared/adapters/emf/telemetry.ts";
import { cancelMessage, readReceipt } from "../shared/pipeline/receipts/receipts.ts";
import { type Refusal, refuse } from "../shared/protocol/errors.ts";
import { isProducer } from "../shared/protocol/grant.ts";
import { readEnv } from "../shared/settings/variables.ts";
import { type HttpEvent, isAt, methodOf, pathParameterOf, queryParameterOf } from "./runtime/event.ts";
import { historyReply } from "./runtime/history.ts";
import { authorize, guarded, type HttpReply, problemReply, reply } from "./runtime/http.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { readsOf } from "./runtime/streams.ts";
import { tokensOf } from "./runtime/tokens.ts";
import { settingsOf, tableClient } from "./runtime/wiring.ts";

/**
 * GET and DELETE /v1/messages/{id}, and GET /v1/history. A function of its own would take no right from this one that a
 * client could use: what history may do to streams the socket function may do too, which every client reaches.
 */
export function receiptsHandler(runtime: Runtime) {
  const env = readEnv("receipts", runtime.env);
  const tokens = tokensOf(runtime, env.TOKENS);
  const settings = settingsOf(env.SETTINGS);
  const client = tableClient(runtime, settings.advanced.functions.receipts);
  const receipts = dynamoReceipts({
    client,
    table: env.RECEIPTS_TABLE,
    days: settings.receiptRetentionDays,
  });
  const streams = readsOf(runtime, client, env.STREAMS_TABLE, settings);
  const deps = { receipts, clock: runtime.clock };

  return async (event: HttpEvent): Promise<HttpReply> => {
    const telemetry = emfTelemetry("receipts", runtime.write, env.ROUTER);
    return guarded(telemetry, async () => {
      const reader = await authorize(tokens, event);
      if (!reader.ok) return problemReply(reader.refusal);
      if (isAt(event, "/v1/history") && methodOf(event) === "GET")
        return historyReply(streams, reader.value, event);
      if (!isProducer(reader.value) && !reader.value.admin) return problemReply(NO_GRANT.refusal);
      const answer = ANSWERS.get(methodOf(event));
      if (!answer) return problemReply(NO_ROUTE.refusal);
      const producer = queryParameterOf(event, "producer");
      const asked = {
        id: pathParameterOf(event, "id") ?? "",
        ...(producer === undefined ? {} : { producer }),
      };
      const receipt = await answer(deps, reader.value, asked);
      return receipt.ok ? reply(200, receipt.value) : problemReply(askAgain(receipt.refusal));
    });
  };
}

const ANSWERS: ReadonlyMap<string, typeof readReceipt> = new Map([
  ["GET", readReceipt],
  ["DELETE", cancelMessage],
]);

/** The `sub` of a client may be that of a producer: only a grant tells the two apart. */
const NO_GRANT = refuse(
  "RECEIPT_FORBIDDEN",
  "receipts are for tokens that may publish: this one has no publish patterns",
);
const NO_ROUTE = refuse(
  "ROUTE_NOT_FOUND",
  "a receipt is read with GET and its message cancelled with DELETE",
);

/** Most messages meet their first run within a second. */
const askAgain = (refusal: Refusal): Refusal =>
  refusal.code === "RECEIPT_NOT_FOUND" ? { ...refusal, retryAfter: 1 } : refusal;
