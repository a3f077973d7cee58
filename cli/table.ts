/** Lines of text with columns as wide as their widest cell. All but the first are aligned on the right. */
export function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => (line[i] ?? "").length)));
  const text = lines.map((line) =>
    line
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return `${text.join("\n")}\n`;
}

/** A line for each name and its value. Those without a value are left out. */
export function list(pairs: readonly (readonly [name: string, value: unknown])[]): string {
  const present = pairs.filter(([, value]) => value !== undefined);
  const width = Math.max(...present.map(([name]) => name.length));
  return present.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
}
