import * as v from "valibot";
import { ENDINGS } from "./ending.ts";
import { NAMED_FAILURES } from "./limits.ts";
import { MessageId, Time } from "./message.ts";
import { ConnectionId, UserId } from "./tag.ts";

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** The receipt of a message, as `GET` of the message returns it. */
export const Receipt = v.pipe(
  v.object({
    id: MessageId,
    producer: UserId,
    state: v.picklist(["delivering", "retrying", ...ENDINGS]),
    time: v.exactOptional(Time),
    counts: v.pipe(v.object({ sent: Count, gone: Count, failed: Count, pending: Count }), v.readonly()),
    /** Receives so far; of the jobs, the most any of them took. */
    attempts: Count,
    jobs: v.exactOptional(Count),
    reason: v.exactOptional(v.string()),
    /** Connections that did not get it and will not. */
    failed: v.exactOptional(v.pipe(v.array(ConnectionId), v.maxLength(NAMED_FAILURES), v.readonly())),
    updatedAt: Time,
  }),
  v.readonly(),
);
export type Receipt = v.InferOutput<typeof Receipt>;
