/** What happened, step by step: always as a digest, and as text where someone wants to read it. */
export interface Trace {
  note(who: string, what: string, detail?: () => string): void;
  readonly lines: readonly string[];
  /** The same for two runs only where they did the same. */
  digest(): string;
}

/** Lines are kept only where `keep` says so, since most runs are never read. */
export function traceOf(elapsed: () => number, keep: boolean): Trace {
  const lines: string[] = [];
  let hash = 0x811c9dc5;
  const mix = (text: string) => {
    // FNV-1a
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  };
  return {
    note(who, what, detail) {
      const at = elapsed();
      hash = Math.imul(hash ^ Math.floor(at), 0x01000193);
      mix(who);
      mix(what);
      if (keep)
        lines.push(`${(at / 1000).toFixed(3).padStart(9)} ${who} ${what}${detail ? ` ${detail()}` : ""}`);
    },
    lines,
    digest: () => (hash >>> 0).toString(16).padStart(8, "0"),
  };
}
