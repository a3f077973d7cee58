/** What one container says of its sends in a beat. Rates are whole sends per second. */
export interface QuotaEntry {
  /** Names the container: 1-64 of `A-Z a-z 0-9 -`. */
  readonly id: string;
  /** Counts the beats of the container. */
  readonly count: number;
  /** The sends that it made per second since the beat before. */
  readonly sendsPerSecond: number;
  /** The most that it may send per second, now and after the answer to this beat. */
  readonly claimedPerSecond: number;
  /** The weight of the lane of its run. */
  readonly weight: number;
  /** Whether sends waited since the beat before. */
  readonly isWaiting: boolean;
  /** The table's own time of the beat, in milliseconds since 1970, as the container knew it. Absent if it knew none. */
  readonly at?: number;
}

/** All entries of a quota at one moment: those of containers that stopped without a word too. */
export interface QuotaAnswer {
  readonly entries: readonly QuotaEntry[];
  /** The table's own time, in milliseconds since 1970, to the second. Absent if it said none. */
  readonly at?: number;
}

/** How the containers that share the requests of an account tell each other what they send. */
export interface QuotaBeats {
  /**
   * Puts the entry in place of the container's last one and returns all entries, this one included. MUST be one write
   * without a condition. MUST include every beat that has returned.
   */
  beat(entry: QuotaEntry): Promise<QuotaAnswer>;
  /** Returns all entries. MUST include every beat that has returned. */
  read(): Promise<QuotaAnswer>;
  /** Removes the entry of a container that stopped. MUST NOT remove one with another count. Idempotent. */
  remove(entry: Pick<QuotaEntry, "id" | "count">): Promise<void>;
}

/** Milliseconds of the table's time for which an entry counts that was never seen before. */
const RECENT = 10_000;

/**
 * Returns true if the container of an entry may still be sending, as far as one answer shows. An entry that does not say
 * when it was written counts.
 */
export const isRecent = ({ at: written }: Pick<QuotaEntry, "at">, { at }: Pick<QuotaAnswer, "at">): boolean =>
  written === undefined || at === undefined || at - written < RECENT;

/** The entries of an answer that are recent. */
export const recentEntries = (answer: QuotaAnswer): readonly QuotaEntry[] =>
  answer.entries.filter((entry) => isRecent(entry, answer));

/** What the containers of these entries send per second together. */
export const sendsOf = (entries: readonly QuotaEntry[]): number =>
  entries.reduce((sum, { sendsPerSecond }) => sum + sendsPerSecond, 0);
