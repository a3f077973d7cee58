import { createHash } from "node:crypto";

/**
 * Hashes are 8 hex digits, so a range is two of them: from the first, up to and without the second.
 * `g` sorts after every hex digit and closes the last range.
 */
export interface HashRange {
  readonly from: string;
  readonly to: string;
}

const DIGITS = 8;
const SPACE = 16 ** DIGITS;
const END = "g";

export const WHOLE: HashRange = { from: "0".repeat(DIGITS), to: END };

/** Where a connection stands in every tag's list: the hash spreads the writes, the id makes it unique. */
export function sortKey(connectionId: string): string {
  return `${createHash("sha256").update(connectionId).digest("hex").slice(0, DIGITS)}#${connectionId}`;
}

/** The first key that could follow this one; a space sorts before every character of an id. */
export const after = (key: string): string => `${key} `;

export const hashOf = (key: string): string => key.slice(0, DIGITS);

export const contains = (range: HashRange, key: string): boolean => key >= range.from && key < range.to;

/** The range in `parts` ranges of equal width; fewer where it is too narrow. */
export function split({ from, to }: HashRange, parts: number): HashRange[] {
  const [low, high] = [toNumber(from), toNumber(to)];
  const count = Math.max(1, Math.min(parts, high - low));
  const cut = (i: number) => (i === count ? to : toHash(low + Math.floor(((high - low) * i) / count)));
  return Array.from({ length: count }, (_, i) => ({ from: cut(i), to: cut(i + 1) }));
}

/** How many keys the range holds if its first `seen` keys end at `lastKey`: n rows in [0, h) make n·H/h. */
export function estimate({ from, to }: HashRange, seen: number, lastKey: string): number {
  const [low, high, at] = [toNumber(from), toNumber(to), toNumber(hashOf(lastKey)) + 1];
  return Math.ceil((seen * (high - low)) / Math.max(1, at - low));
}

/** The part that a key lies in, from 0, if the space is cut into `parts` parts of equal width, a power of two of them. */
export const partOf = (key: string, parts: number): number =>
  Math.floor(toNumber(hashOf(key)) / (SPACE / parts));

/** The first hash of a part, or the end of the space for the part after the last. */
export const startOf = (part: number, parts: number): string =>
  part === parts ? END : toHash(part * (SPACE / parts));

/** How much of the way from `from` to `to` lies before `key`, 0-1. */
export function wayTo(key: string, from: string, to: string): number {
  const [low, high, at] = [from, to, key].map((each) => toNumber(each === END ? END : hashOf(each)));
  return high === low ? 1 : ((at ?? 0) - (low ?? 0)) / ((high ?? 0) - (low ?? 0));
}

export function isHashRange(value: unknown): value is HashRange {
  if (typeof value !== "object" || value === null || !("from" in value) || !("to" in value)) return false;
  const { from, to } = value;
  return (
    typeof from === "string" &&
    typeof to === "string" &&
    /^[0-9a-f]{8}$/.test(from) &&
    /^([0-9a-f]{8}|g)$/.test(to) &&
    from < to
  );
}

const toNumber = (hash: string) => (hash === END ? SPACE : Number.parseInt(hash, 16));
const toHash = (value: number) => value.toString(16).padStart(DIGITS, "0");
