/** A number as the table took it. */
export interface Logged {
  readonly number: number;
  /** Its frame without the number; an empty text without data. */
  readonly frame: string;
  /** When it is no longer given out, by the clock of its run. */
  readonly until: number;
  /** The true time. */
  readonly writtenAt: number;
}

/** All that was ever written to one stream. */
export interface StreamLog {
  readonly numbers: Logged[];
  /** First numbers of its starts. */
  readonly starts: Set<number>;
  /** What numbers had that have no data any more. */
  readonly emptied: Map<number, string>;
}

export const logOf = (): StreamLog => ({ numbers: [], starts: new Set(), emptied: new Map() });
