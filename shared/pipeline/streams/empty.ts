import type { MessageId } from "../../protocol/message.ts";
import type { StreamName } from "../../streams/stream.ts";
import { firstRow, hasId } from "./find.ts";
import type { StreamDeps } from "./head.ts";

/**
 * Takes the data of a cancelled or expired message out of its stream; its number stays. Returns false if the number
 * has another message or none.
 */
export async function emptyMessage(
  { streams }: Pick<StreamDeps, "streams">,
  stream: StreamName,
  number: number,
  id: MessageId,
): Promise<boolean> {
  const { rows } = await streams.read(stream, firstRow(number), number);
  for (const { seq, run, messages } of rows) {
    const index = number - seq;
    if (run !== undefined && hasId(messages[index] ?? "", id)) {
      return streams.empty(stream, { seq, index, run });
    }
  }
  return false;
}
