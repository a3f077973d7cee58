import type { Clock, Receipts } from "../../ports.ts";
import { accept, type Result, refuse } from "../../protocol/errors.ts";
import type { Identity } from "../../protocol/grant.ts";
import { MessageId } from "../../protocol/message.ts";
import { parse } from "../../protocol/parse.ts";
import { UserId } from "../../protocol/tag.ts";
import type { Receipt } from "../../receipts/receipt.ts";

export interface ReceiptsDeps {
  readonly receipts: Pick<Receipts, "find" | "cancel">;
  readonly clock: Pick<Clock, "now" | "pause">;
  /** Whether receipts of messages that brought no id keep failures only. @default false */
  readonly failureReceiptsOnly?: boolean;
}

/** A day after its claim nothing tells a message that was delivered from one that was never sent. */
const FORGOTTEN =
  "; or it was delivered, since receipts of messages without an id of their own keep failures only";

/** Which receipt is asked for. `producer` is for admins; everyone else means their own. */
export interface Asked {
  readonly id: string;
  readonly producer?: string;
}

/** What became of a message. */
export async function readReceipt(
  deps: ReceiptsDeps,
  reader: Identity,
  asked: Asked,
): Promise<Result<Receipt>> {
  const named = name(reader, asked);
  if (!named.ok) return named;
  const { producer, id } = named.value;
  const receipt = await deps.receipts.find(producer, id, deps.clock.now());
  if (receipt === "unrecorded")
    return refuse(
      "RECEIPT_NOT_KEPT",
      `no failure of message ${id} is known: it was delivered, or its run died and it will be tried again; receipts of ` +
        "messages without an id of their producer's own keep failures only",
    );
  return receipt
    ? accept(receipt)
    : refuse(
        "RECEIPT_NOT_FOUND",
        `no run has met message ${id} of ${producer}: it waits in its queue, or was never sent${
          deps.failureReceiptsOnly ? FORGOTTEN : ""
        }`,
      );
}

/**
 * Cancels what has not been delivered yet and answers the receipt; one that has ended stays as it is. It waits for the
 * next millisecond, since a cancel is about what was accepted in an earlier one than its own.
 */
export async function cancelMessage(
  deps: ReceiptsDeps,
  reader: Identity,
  asked: Asked,
): Promise<Result<Receipt>> {
  const named = name(reader, asked);
  if (!named.ok) return named;
  const later = deps.clock.now() + 1;
  await deps.clock.pause(1);
  await deps.receipts.cancel(named.value.producer, named.value.id, Math.max(later, deps.clock.now()));
  return readReceipt(deps, reader, asked);
}

function name(reader: Identity, asked: Asked): Result<{ producer: UserId; id: MessageId }> {
  const id = parse(MessageId, asked.id, "MESSAGE_INVALID", "/id");
  if (!id.ok) return id;
  const producer = parse(UserId, asked.producer ?? reader.sub, "MESSAGE_INVALID", "/producer");
  if (!producer.ok) return producer;
  if (producer.value !== reader.sub && !reader.admin) {
    return refuse("RECEIPT_FORBIDDEN", "only an admin token may name another producer");
  }
  return accept({ producer: producer.value, id: id.value });
}
