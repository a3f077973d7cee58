import { compare, type Key } from "./order.ts";

/** The most keys of one run of keys: an insertion moves at most this many. */
const RUN = 512;

/** A map whose keys can be listed in order. */
export class SortedMap<V> {
  readonly #values = new Map<Key, V>();
  /** Every key once, in order, in runs that are not empty. */
  readonly #runs: Key[][] = [];

  get size(): number {
    return this.#values.size;
  }

  get(key: Key): V | undefined {
    return this.#values.get(key);
  }

  /** In no order. Entries may be deleted meanwhile. */
  entries(): IterableIterator<[Key, V]> {
    return this.#values.entries();
  }

  set(key: Key, value: V): void {
    const size = this.#values.size;
    this.#values.set(key, value);
    if (this.#values.size === size) return;
    const at = Math.min(this.#runOf(key), this.#runs.length - 1);
    const run = this.#runs[at];
    if (run === undefined) {
      this.#runs.push([key]);
      return;
    }
    run.splice(place(run, key), 0, key);
    // A run at the end is filled by keys that follow each other, and is left full.
    const isLast = at === this.#runs.length - 1;
    if (run.length > RUN) this.#runs.splice(at + 1, 0, run.splice(isLast ? RUN : RUN / 2));
  }

  delete(key: Key): void {
    if (!this.#values.delete(key)) return;
    const at = this.#runOf(key);
    const run = this.#runs[at];
    run?.splice(place(run, key), 1);
    if (run?.length === 0) this.#runs.splice(at, 1);
  }

  /** Returns the keys with `from` <= key < `to` in ascending order, or descending if `isReversed`; at most `limit`. */
  keys(from: Key, to: Key, limit: number, isReversed = false): Key[] {
    const found: Key[] = [];
    const step = isReversed ? -1 : 1;
    const bound = isReversed ? to : from;
    for (let at = Math.min(this.#runOf(bound), this.#runs.length - 1); found.length < limit; at += step) {
      const run = this.#runs[at];
      if (run === undefined) break;
      const first = place(run, from);
      const end = place(run, to);
      const keys = isReversed ? run.slice(first, end).reverse() : run.slice(first, end);
      for (const key of keys.slice(0, limit - found.length)) found.push(key);
      if (isReversed ? first > 0 : end < run.length) break;
    }
    return found;
  }

  /** The number of the first run that ends with this key or a later one; the number of runs if there is none. */
  #runOf(key: Key): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#runs[middle]?.at(-1);
      if (last !== undefined && compare(last, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where the key is in a run, or would be. */
function place(run: readonly Key[], key: Key): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = run[middle];
    if (there !== undefined && compare(there, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
