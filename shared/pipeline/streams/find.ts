import type { MessageId } from "../../protocol/message.ts";
import { ROW_MESSAGES } from "../../streams/row.ts";
import type { StreamName, StreamRow } from "../../streams/stream.ts";
import type { StreamDeps } from "./head.ts";

/**
 * For a run that takes over a message from one that left no number: looks for its frame in one page of the stream after
 * the number `after`, or from its start if no head counted then. Returns the number, or undefined if it is not there.
 * Its id would not do: a message of another producer may have the same, and would be taken for it.
 */
export async function findAppended(
  { streams }: Pick<StreamDeps, "streams">,
  stream: StreamName,
  after: number | undefined,
  frame: string,
): Promise<number | undefined> {
  const from = after ?? ((await streams.root(stream))?.next ?? 1) - 1;
  const { rows } = await streams.read(stream, firstRow(from + 1), Number.MAX_SAFE_INTEGER);
  return rows.flatMap((row) => numbersOf(row, frame)).find((number) => number > from);
}

/** The lowest key that a row with this number can have. */
export const firstRow = (number: number): number => Math.max(1, number - ROW_MESSAGES);

const numbersOf = ({ seq, messages }: StreamRow, frame: string): number[] =>
  messages.flatMap((message, i) => (message === frame ? [seq + i] : []));

/** Data may hold the same text, but is not parsed for nothing. */
export const hasId = (frame: string, id: MessageId): boolean =>
  frame.includes(JSON.stringify(id)) && (JSON.parse(frame) as { id?: unknown }).id === id;
