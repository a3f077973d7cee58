import type { MessageId } from "../../protocol/message.ts";
import { ROW_MESSAGES } from "../../streams/row.ts";
import type { StreamName, StreamRow } from "../../streams/stream.ts";
import type { StreamDeps } from "./head.ts";

/**
 * For a run that takes over a message from one that left no number: looks for its id in one page of the stream after
 * the number `after`, or from its start if no head counted then. Returns the number, or undefined if it is not there.
 */
export async function findAppended(
  { streams }: Pick<StreamDeps, "streams">,
  stream: StreamName,
  after: number | undefined,
  id: MessageId,
): Promise<number | undefined> {
  const from = after ?? ((await streams.root(stream))?.next ?? 1) - 1;
  const { rows } = await streams.read(stream, firstRow(from + 1), Number.MAX_SAFE_INTEGER);
  const found = rows.flatMap((row) => numbersOf(row, id)).find((number) => number > from);
  return found;
}

/** The lowest key that a row with this number can have. */
export const firstRow = (number: number): number => Math.max(1, number - ROW_MESSAGES);

const numbersOf = ({ seq, messages }: StreamRow, id: MessageId): number[] =>
  messages.flatMap((frame, i) => (hasId(frame, id) ? [seq + i] : []));

/** Data may hold the same text, but is not parsed for nothing. */
export const hasId = (frame: string, id: MessageId): boolean =>
  frame.includes(JSON.stringify(id)) && (JSON.parse(frame) as { id?: unknown }).id === id;
