import { crc32 } from "node:zlib";
import type { Connection } from "../../shared/connections/connection.ts";

/** Who is connected, as a text: the same one whenever the same users hold the same tags, by whatever connections. */
export interface Presence {
  changed(before: Connection | undefined, after: Connection | undefined): void;
  text(): string;
}

export const NOBODY = "0 0";

export function presence(): Presence {
  let [connections, sum] = [0, 0];
  return {
    changed(before, after) {
      if (before?.tags === after?.tags) return;
      connections += Number(after !== undefined) - Number(before !== undefined);
      sum += sumOf(after) - sumOf(before);
    },
    text: () => `${connections} ${sum}`,
  };
}

/** A sum, so that the order does not matter. Two million tags fit in an integer. */
const sumOf = (connection: Connection | undefined): number =>
  connection === undefined
    ? 0
    : connection.tags.reduce((sum, tag) => sum + crc32(`${connection.user} ${tag}`), 0);
