import type { Io } from "./io.ts";

/** A bar on the terminal, and nothing at all where standard error is none. */
export interface Progress {
  /** Draws the bar and the note; the note alone if the total is not known. */
  show(done: number, total: number | undefined, note: string): void;
  /** Wipes the bar, so that what is printed next begins a line. */
  end(): void;
}

const WIDTH = 24;
/** Milliseconds between two pictures. */
const EVERY = 100;

export function progress({ stderr, now }: Pick<Io, "stderr" | "now">, quiet = false): Progress {
  if (quiet || !stderr.isTTY) return { show() {}, end() {} };
  let last: number | undefined;
  return {
    show(done, total, note) {
      if (last !== undefined && now() - last < EVERY) return;
      last = now();
      stderr.write(`\r\x1b[K${total === undefined ? "" : bar(done, total)}${note}`);
    },
    end() {
      if (last !== undefined) stderr.write("\r\x1b[K");
    },
  };
}

function bar(done: number, total: number): string {
  const full = Math.round(WIDTH * Math.min(1, total > 0 ? done / total : 1));
  return `[${"#".repeat(full)}${"-".repeat(WIDTH - full)}] `;
}
