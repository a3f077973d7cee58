import * as v from "valibot";
import { MessageId } from "./message.ts";
import { Problem } from "./problem.ts";

/** A message that is stored: what a POST of one message returns, and an item of what a POST of an array returns. */
export const QueuedItem = v.pipe(v.object({ id: MessageId, state: v.literal("queued") }), v.readonly());
export type QueuedItem = v.InferOutput<typeof QueuedItem>;

/** A message of an array that was refused. It has the id that the producer gave, if that is a string. */
export const RefusedItem = v.pipe(
  v.object({ id: v.exactOptional(v.string()), state: v.literal("refused"), problem: Problem }),
  v.readonly(),
);
export type RefusedItem = v.InferOutput<typeof RefusedItem>;

export type Item = QueuedItem | RefusedItem;
