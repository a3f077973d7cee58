import type { Tag } from "../protocol/tag.ts";
import type { Recipient } from "../receipts/receipt.ts";
import type { Awaitable } from "./awaitable.ts";

/** A page of a list. Expired rows are read and not returned, so a page may be empty and have a `next`. */
export interface Page {
  /** In ascending order of their sort keys. */
  readonly rows: readonly IndexEntry[];
  /** The number of rows read, including expired ones. */
  readonly read: number;
  /** The sort key at which the next page starts. Absent if this is the last page of the range. */
  readonly next?: string;
}

/** One row of a tag's list. */
export interface IndexEntry extends Recipient {
  readonly key: string;
}

export interface Subscriptions {
  /**
   * Returns at most `limit` connections that have the tag, from sort key `from` (inclusive) to `to` (exclusive). MUST
   * include every `add` that has returned, and MUST NOT include rows that expired before `now`.
   */
  page(tag: Tag, query: { from: string; to: string; limit: number; now: number }): Awaitable<Page>;
  /** Returns the sort keys of those `rows` whose connections have the tag too. */
  filterHolders(tag: Tag, rows: readonly IndexEntry[], now: number): Awaitable<ReadonlySet<string>>;
  /**
   * Idempotent. `expiresAt` is in milliseconds. MUST NOT write anything after it has thrown. An UnlistedError names the
   * tags whose lists it has not written.
   */
  add(tags: readonly Tag[], holder: Recipient, expiresAt: number): Promise<void>;
  /** Idempotent; leaves a row with another connect time alone. */
  remove(tags: readonly Tag[], holder: Recipient): Promise<void>;
}
