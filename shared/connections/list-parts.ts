import { CONNECTION_SECONDS } from "../protocol/limits.ts";
import type { Tag } from "../protocol/tag.ts";
import { partOf } from "../receipts/hash-range.ts";

/** A tag whose list lies on several partition keys, as the settings name it. */
export interface SpreadTag {
  readonly tag: string;
  /** Bits of the hash that choose the key: of connections that connected at `since` or later, and before. */
  readonly hashBits: number;
  readonly hashBitsBefore: number;
  /** A time as in 2026-01-01T12:00:00Z. */
  readonly since: string;
}

/**
 * Where the rows of a list lie. A partition key of DynamoDB takes 1,000 writes a second, so a list that many connections
 * join at once lies on several: each holds one part of the hashes, so the keys one after the other are the list.
 */
export interface ListParts {
  /**
   * The partition key of a connection's row in the list of a tag. It follows from when the connection connected, so that
   * whoever writes or deletes the row, at whatever time, finds the same one.
   */
  partitionKey(tag: Tag, row: { readonly key: string; readonly connectedAt: number }): string;
  /** On how many partition keys rows lie that may count at `now`: two numbers while those of before `since` live. */
  countsAt(tag: Tag, now: number): readonly number[];
}

/** All partition keys on which a row of the list may lie that counts at `now`. */
export const partitionKeysAt = (parts: ListParts, tag: Tag, key: string, now: number): readonly string[] =>
  parts.countsAt(tag, now).map((count) => partitionKeyOf(tag, partOf(key, count), count));

/** Milliseconds by which the clock that stamps connections and that of a reader may differ. */
const CLOCKS = 600_000;

/** Milliseconds after which the gateway has cut every connection. */
const LIFE = CONNECTION_SECONDS * 1_000;

/** The parts that settings name. Every other list lies on one partition key, its tag. */
export function listParts(spread: readonly SpreadTag[]): ListParts {
  const named = new Map(
    spread.map(({ tag, hashBits, hashBitsBefore, since }) => [
      tag,
      { now: 2 ** hashBits, before: 2 ** hashBitsBefore, sinceMs: Date.parse(since) },
    ]),
  );
  return {
    partitionKey(tag, { key, connectedAt }) {
      const one = named.get(tag);
      if (!one) return tag;
      const parts = connectedAt < one.sinceMs ? one.before : one.now;
      return partitionKeyOf(tag, partOf(key, parts), parts);
    },
    countsAt(tag, time) {
      const one = named.get(tag);
      if (!one) return ONE;
      const { now, before, sinceMs } = one;
      if (now === before || time >= sinceMs + LIFE + CLOCKS) return [now];
      return time < sinceMs - CLOCKS ? [before] : [now, before];
    },
  };
}

/** No list is spread. */
export const ONE_PART: ListParts = listParts([]);

const ONE = [1];

/** A tag has no space, so no other tag has this key. The only part of a list has its tag, as in every release before. */
export const partitionKeyOf = (tag: Tag, part: number, parts: number): string =>
  parts === 1 ? tag : `${tag} ${part}/${parts}`;
