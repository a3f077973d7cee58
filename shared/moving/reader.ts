import { createHash } from "node:crypto";
import { TagwireError } from "../protocol/errors.ts";
import { KINDS, type Line, lineIn } from "./line.ts";

/** The most bytes of a line: ten messages of a row, or a body, each character as an escape. */
const LINE_BYTES = 8_388_608;

/** A line of an export, and its number from 1. */
export interface NumberedLine {
  readonly number: number;
  readonly line: Line;
  /** Bytes of its text. */
  readonly bytes: number;
}

/**
 * Reads an export line by line, and keeps no more of it than a line in memory. Throws a TagwireError (EXPORT_INVALID,
 * EXPORT_NEWER) that names the line: if it is not as it was written, if lines are missing, or if nothing follows it though it
 * is not the last. What stands before it was good by itself; that no byte of it was changed is known at the last line.
 */
export async function* readExport(
  input: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<NumberedLine, void> {
  const hash = createHash("sha256");
  const order = orderOfLines();
  let number = 0;
  let isEnded = false;
  for await (const bytes of linesOf(input)) {
    number++;
    const line = at(number, () => {
      if (isEnded) throw invalid("follows the last line");
      const read = lineIn(textIn(bytes));
      order(read);
      if (read.kind === "end") {
        if (read.lines !== number - 1)
          throw invalid(`says that ${read.lines} lines stand before it; some are missing`);
        if (read.sha256 !== hash.digest("hex"))
          throw invalid("has another checksum than the lines before it: one of them was changed");
        isEnded = true;
      } else hash.update(bytes).update("\n");
      return read;
    });
    yield { number, line, bytes: bytes.length };
  }
  if (!isEnded) throw new TagwireError("EXPORT_INVALID", endsEarly(number));
}

const endsEarly = (number: number): string =>
  number === 0 ? "the export is empty" : `the export ends after line ${number}, which is not its last`;

const invalid = (what: string) => new TagwireError("EXPORT_INVALID", what);

/** Names the line in the fault that a reader threw. */
function at<T>(number: number, read: () => T): T {
  try {
    return read();
  } catch (fault) {
    if (!(fault instanceof TagwireError)) throw fault;
    throw new TagwireError(fault.code, `line ${number} ${fault.message}`, { cause: fault });
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textIn(bytes: Uint8Array): string {
  if (bytes.at(-1) === CARRIAGE_RETURN)
    throw invalid("ends with a carriage return, which no export has: copy the file byte for byte");
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalid("is no UTF-8");
  }
}

/** Returns what checks that lines come in their order: kinds, the rows of a stream, and entries. */
function orderOfLines(): (line: Line) => void {
  let before: Line | undefined;
  let head: Extract<Line, { kind: "stream" }> | undefined;
  return (line) => {
    const [last, next] = [before, line].map((one) => (one ? KINDS.indexOf(one.kind) : -1)) as [
      number,
      number,
    ];
    if (last < 0 && line.kind !== "export") throw invalid("is not the first line of an export");
    if (next < last || (last >= 0 && line.kind === "export"))
      throw invalid(`has the kind ${line.kind} after ${before?.kind}`);
    if (line.kind === "stream") {
      const isOfSame = before?.kind === "stream" && before.stream === line.stream;
      if (!isOfSame) head = line;
      else if (line.row.seq >= (head?.row.seq ?? 0) || (before !== head && line.row.seq < nextOf(before)))
        throw invalid(`has number ${line.row.seq} of ${line.stream} out of order`);
    }
    if ("entry" in line && before?.kind === line.kind && Number(line.entry) <= Number(before.entry))
      throw invalid(`has entry ${line.entry} after ${before.entry}`);
    before = line;
  };
}

const nextOf = (line: Line | undefined): number => (line?.kind === "stream" ? line.row.next : 0);

/** Cuts bytes into lines. The last one has to end too. */
async function* linesOf(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const some of input) {
    let rest: Uint8Array = typeof some === "string" ? Buffer.from(some) : some;
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      yield parts.length === 0 ? rest.subarray(0, end) : Buffer.concat([...parts, rest.subarray(0, end)]);
      [parts, bytes, rest] = [[], 0, rest.subarray(end + 1)];
    }
    if (rest.length > 0) parts.push(rest);
    bytes += rest.length;
    if (bytes > LINE_BYTES) throw invalid(`a line of the export is longer than ${LINE_BYTES} bytes`);
  }
  // A line that was cut off is met as one that does not end the export, or as no JSON.
  if (parts.length > 0) yield Buffer.concat(parts);
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
