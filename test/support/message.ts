import type { Message, MessageId } from "../../shared/protocol/message.ts";
import type { Topic, UserId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";

/** When the tests' messages are accepted, in milliseconds since 1970. */
export const NOW = Date.parse("2026-01-01T00:00:00Z");

/** A valid message; the fields given are its own. */
export const aMessage = (fields: Partial<Message> = {}): Message => ({
  id: "m-1" as MessageId,
  producer: "ann" as UserId,
  acceptanceId: "acceptance-1",
  target: { topic: "orders" as Topic },
  data: 1,
  priority: "normal",
  time: new Date(NOW).toISOString(),
  expiresAt: NOW + 86_400_000,
  dedupeSeconds: 300,
  ...fields,
});

export const aJob = (fields: Partial<Message> = {}): Job => ({ message: aMessage(fields) });
