import { createHash } from "node:crypto";

/** A part of the keys: from the first, up to and without the second. */
interface Range {
  readonly from: string;
  readonly to: string;
}

/** Whether a range of hashes holds a connection: by the first 8 hex digits of the SHA-256 of its id. */
export function holds({ from, to }: Range, connectionId: string): boolean {
  const hash = createHash("sha256").update(connectionId).digest("hex").slice(0, 8);
  return from.slice(0, 8) <= hash && (to === "g" || hash < to);
}

/** The name of a job's part: absent ranges mean the whole message. */
export const partName = (range?: Range): string => (range ? `${range.from}-${range.to}` : "whole");
