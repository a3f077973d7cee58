import type { Message } from "./message.ts";
import type { AddressedTo, MessageFrame } from "./server-frame.ts";
import type { Topic } from "./tag.ts";
import type { Target } from "./target.ts";

export type { AddressedTo, MessageFrame } from "./server-frame.ts";

/**
 * The frame that a message becomes. It names the topic if the target is one, and otherwise only the kind of the target:
 * an expression would tell a client who else gets the message. `event` is left out if the producer gave none.
 */
export const messageFrame = ({ id, target, event, data, time, traceparent }: Message): MessageFrame => ({
  type: "message",
  id,
  ...addressOf(target),
  ...(event === undefined ? {} : { event }),
  data,
  time,
  ...(traceparent === undefined ? {} : { traceparent }),
});

/** The frame of a message as text. It is made once: a process that measures a message may send it too. */
export function frameText(message: Message): string {
  const known = texts.get(message);
  if (known !== undefined) return known;
  const text = JSON.stringify(messageFrame(message));
  texts.set(message, text);
  return text;
}

const texts = new WeakMap<Message, string>();

function addressOf(target: Target): { topic: Topic } | { to: AddressedTo } {
  if ("topic" in target) return { topic: target.topic };
  if ("connection" in target) return { to: "connection" };
  if ("user" in target) return { to: "user" };
  return { to: "tags" in target ? "tags" : "everyone" };
}
