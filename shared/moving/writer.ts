import { createHash } from "node:crypto";
import { type LineOf, textOf } from "./line.ts";

/** What an export holds between its first and its last line. */
export type Content = LineOf<"stream"> | LineOf<"receipt"> | LineOf<"dead-letter"> | LineOf<"waiting">;

/** Returns the text of an export, line by line with their line feeds: what it is of, the content, and the end. */
export function* writeExport(
  { id, at }: Pick<LineOf<"export">, "id" | "at">,
  content: Iterable<Content>,
): Generator<string> {
  const hash = createHash("sha256");
  let lines = 0;
  const written = (text: string): string => {
    lines++;
    hash.update(text);
    return text;
  };
  yield written(`${textOf({ kind: "export", version: 1, id, at })}\n`);
  for (const line of content) yield written(`${textOf(line)}\n`);
  yield `${textOf({ kind: "end", lines, sha256: hash.digest("hex") })}\n`;
}
