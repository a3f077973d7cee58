import { SKEW } from "../world/network.ts";
import type { MessageRecord } from "./message-record.ts";

/** Milliseconds between a POST and the message that its function makes of it: the function's timeout and its clock. */
const ACCEPTING = 10_000 + SKEW;

/**
 * What is wrong with a frame: it has to be what was posted, byte for byte, in an encoding of the oracle's own. Undefined:
 * nothing is.
 */
export function flawOf(record: MessageRecord, text: string, keepsStream: boolean): string | undefined {
  const { message, postedAt } = record;
  if (!message || Math.abs(Date.parse(message.time) - postedAt) > ACCEPTING) return `a wrong time: ${text}`;
  const { id, target, event, number, content } = record;
  const member = (name: string, value: unknown) => `"${name}":${JSON.stringify(value)}`;
  const due = [
    '"type":"message"',
    member("id", id),
    "topic" in target ? member("topic", target.topic) : member("to", Object.keys(target)[0]),
    ...(event === undefined ? [] : [member("event", event)]),
    member("data", { number, ...content }),
    member("time", message.time),
    ...(keepsStream ? [member("seq", record.seq)] : []),
  ];
  return text === `{${due.join(",")}}` ? undefined : `${text} instead of {${due.join(",")}}`;
}
