import { type Lane, laneNamed } from "../../../shared/protocol/lane.ts";

/** What the table `entries` says of an entry, beside its body. Times are milliseconds since 1970. */
export interface EntryHead {
  readonly lane: Lane;
  readonly producer: string;
  /** The number of receives that may have begun: at least 1, since the first is written with the entry. */
  readonly receives: number;
  readonly sentAt: number;
  /** The end of its delay. 0 if it has none. */
  readonly delayedUntil: number;
}

/** The row of an entry: a line of JSON, and its body as it is. */
export const entryRow = (
  { lane, producer, receives, sentAt, delayedUntil }: EntryHead,
  body: string,
): string => `${JSON.stringify([lane, producer, receives, sentAt, delayedUntil])}\n${body}`;

/** Reads the first line of a row. */
export function headOf(row: string): EntryHead {
  const [lane, producer, receives, sentAt, delayedUntil] = JSON.parse(row.slice(0, row.indexOf("\n"))) as [
    string,
    string,
    number,
    number,
    number,
  ];
  return { lane: laneNamed(lane) ?? "normal", producer, receives, sentAt, delayedUntil };
}

export const bodyIn = (row: string): string => row.slice(row.indexOf("\n") + 1);
