import type { Message } from "./message.ts";

export interface MessageFrame extends Pick<Message, "id" | "target" | "event" | "data" | "time"> {
  readonly type: "message";
}

/** The frame a message becomes. `event` is left out where the producer gave none. */
export const messageFrame = ({ id, target, event, data, time }: Message): MessageFrame => ({
  type: "message",
  id,
  target,
  ...(event === undefined ? {} : { event }),
  data,
  time,
});
