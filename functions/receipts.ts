import { cancelMessage, readReceipt } from "../shared/pipeline/receipts/receipts.ts";
import type { Receipts, Tokens } from "../shared/ports.ts";
import { type Refusal, refuse } from "../shared/protocol/errors.ts";
import { isProducer } from "../shared/protocol/grant.ts";
import type { HandlerPorts, StreamPorts } from "./ports.ts";
import {
  type HttpEvent,
  isAt,
  methodOf,
  pathParameterOf,
  queryParameterOf,
  requestIdOf,
} from "./runtime/event.ts";
import { historyReply } from "./runtime/history.ts";
import { authorize, guarded, type HttpReply, problemReply, reply, requestFields } from "./runtime/http.ts";
import { readsOf } from "./runtime/reads.ts";

export interface ReceiptsPorts extends HandlerPorts, StreamPorts {
  readonly tokens: Tokens;
  readonly receipts: Pick<Receipts, "find" | "cancel">;
}

/**
 * GET and DELETE /v1/messages/{id}, and GET /v1/history. A function of its own would take no right from this one that a
 * client could use: what history may do to streams the socket function may do too, which every client reaches.
 */
export function receiptsHandler(ports: ReceiptsPorts) {
  const { tokens, receipts, clock } = ports;
  const streams = readsOf(ports);
  const deps = { receipts, clock, failureReceiptsOnly: ports.settings.failureReceiptsOnly };

  return async (event: HttpEvent): Promise<HttpReply> => {
    const telemetry = ports.telemetry();
    const fields = requestFields(requestIdOf(event));
    return guarded({ telemetry, fields }, async () => {
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
      if (receipt.ok && methodOf(event) === "DELETE") {
        const { sub } = reader.value;
        telemetry.info?.("cancel asked for", { ...fields, messageId: asked.id, producer: producer ?? sub });
      }
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
