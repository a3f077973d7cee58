import * as v from "valibot";
import { type Message, MessageId, Time } from "./message.ts";
import { Topic } from "./tag.ts";
import type { Target } from "./target.ts";

/** The kinds of targets whose frame does not name the target. */
const AddressedTo = v.picklist(["connection", "user", "tags", "everyone"]);
export type AddressedTo = v.InferOutput<typeof AddressedTo>;

const Content = v.object({
  type: v.literal("message"),
  id: MessageId,
  event: v.exactOptional(v.string()),
  data: v.unknown(),
  time: Time,
});

/** What a client gets of a message. It has either `topic` or `to`. */
export const MessageFrame = v.pipe(
  v.intersect([Content, v.union([v.object({ topic: Topic }), v.object({ to: AddressedTo })])]),
  v.readonly(),
);
export type MessageFrame = v.InferOutput<typeof MessageFrame>;

/**
 * The frame that a message becomes. It names the topic if the target is one, and otherwise only the kind of the target:
 * an expression would tell a client who else gets the message. `event` is left out if the producer gave none.
 */
export const messageFrame = ({ id, target, event, data, time }: Message): MessageFrame => ({
  type: "message",
  id,
  ...addressOf(target),
  ...(event === undefined ? {} : { event }),
  data,
  time,
});

function addressOf(target: Target): { topic: Topic } | { to: AddressedTo } {
  if ("topic" in target) return { topic: target.topic };
  if ("connection" in target) return { to: "connection" };
  if ("user" in target) return { to: "user" };
  return { to: "tags" in target ? "tags" : "everyone" };
}
