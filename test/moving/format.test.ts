import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Line, lineIn, textOf } from "../../shared/moving/line.ts";
import { type NumberedLine, readExport } from "../../shared/moving/reader.ts";
import { type Content, writeExport } from "../../shared/moving/writer.ts";
import { contents } from "./arbitrary.ts";
import { HEAD, WAITING, written } from "./lines.ts";

async function* inPieces(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string | Uint8Array, size = 1_000): Promise<Line[]> {
  const lines: NumberedLine[] = [];
  for await (const line of readExport(inPieces(text, size))) lines.push(line);
  return lines.map(({ line }) => line);
}

/** A whole export of these lines, made without the code that is under test. */
function sealed(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join("");
  const sha256 = createHash("sha256").update(text).digest("hex");
  return `${text}{"kind":"end","lines":${lines.length},"sha256":"${sha256}"}\n`;
}

const refusal = (text: string | Uint8Array) => expect(read(text)).rejects;

test("what was written is read, however it comes in pieces", async () => {
  await fc.assert(
    fc.asyncProperty(
      contents,
      fc.integer({ min: 1, max: 200 }),
      async (content: readonly Content[], size) => {
        const lines = await read(written(content), size);
        expect(lines.slice(1, -1)).toEqual(content);
        expect(lines[0]).toEqual({ kind: "export", version: 1, ...HEAD });
      },
    ),
    { numRuns: 50 },
  );
});

test("a byte that is changed, lost or added, and a line that is lost or moved, is an error and never another export", async () => {
  const change = fc.record({ at: fc.nat(), kind: fc.constantFrom("byte", "cut", "drop", "swap", "twice") });
  await fc.assert(
    fc.asyncProperty(contents, change, async (content, { at, kind }) => {
      const text = written(content);
      const changed = damaged(text, at, kind);
      fc.pre(Buffer.compare(Buffer.from(text), changed) !== 0);
      await refusal(changed).toMatchObject({ code: expect.stringMatching(/^EXPORT_/) });
    }),
    { numRuns: 200 },
  );
});

function damaged(text: string, at: number, kind: string): Uint8Array {
  const bytes = Buffer.from(text);
  const lines = text.split("\n").slice(0, -1);
  const place = at % lines.length;
  const next = (place + 1) % lines.length;
  switch (kind) {
    case "byte":
      bytes.writeUInt8(bytes.readUInt8(at % bytes.length) ^ (1 << (at % 7)), at % bytes.length);
      return bytes;
    // Without its last line feed alone it is whole.
    case "cut":
      return bytes.subarray(0, at % (bytes.length - 1));
    case "drop":
      lines.splice(place, 1);
      break;
    case "swap":
      [lines[place], lines[next]] = [lines[next] ?? "", lines[place] ?? ""];
      break;
    default:
      lines.splice(place, 0, lines[place] ?? "");
  }
  return Buffer.from(lines.map((line) => `${line}\n`).join(""));
}

const HEADER = `{"kind":"export","version":1,"id":"7","at":5}`;
const waiting = textOf(WAITING);

test.each([
  { why: "is empty", text: "", says: "the export is empty" },
  {
    why: "is of a newer version",
    text: sealed([HEADER.replace("1", "2")]),
    code: "EXPORT_NEWER",
    says: "line 1 says version 2, and this Tagwire reads version 1",
  },
  {
    why: "has a version that is no number",
    text: sealed([HEADER.replace("1", '"1"')]),
    says: "line 1 is no line of an export: /version must be",
  },
  {
    why: "begins with something else",
    text: sealed([waiting]),
    says: "line 1 is not the first line of an export",
  },
  { why: "is not JSON", text: sealed([HEADER, "{"]), says: "line 2 is no JSON" },
  {
    why: "has line ends of Windows",
    text: sealed([HEADER]).replaceAll("\n", "\r\n"),
    says: "line 1 ends with a carriage return, which no export has: copy the file byte for byte",
  },
  { why: "has a blank line", text: sealed([HEADER, ""]), says: "line 2 is no JSON" },
  {
    why: "has an unknown kind",
    text: sealed([HEADER, '{"kind":"toString"}']),
    says: "line 2 is no line of an export: its kind is toString",
  },
  {
    why: "has an unknown field",
    text: sealed([HEADER, waiting.replace("{", '{"more":1,')]),
    says: "line 2 is no line of an export: /more is not a known field",
  },
  {
    why: "lacks a field",
    text: sealed([HEADER, waiting.replace('"lane":"high",', "")]),
    says: "/lane is missing",
  },
  {
    why: "has a lane that there is not",
    text: sealed([HEADER, waiting.replace("high", "top")]),
    says: "line 2 is no line of an export: /lane must be",
  },
  {
    why: "has an entry twice",
    text: sealed([HEADER, waiting, waiting]),
    says: "line 3 has entry 12 after 12",
  },
  {
    why: "has kinds out of order",
    text: sealed([
      HEADER,
      waiting,
      waiting.replace('"waiting"', '"dead-letter"').replace('"receives":1,', ""),
    ]),
    says: "line 3 has the kind dead-letter after waiting",
  },
  {
    why: "ends without its last line",
    text: `${HEADER}\n${waiting}\n`,
    says: "the export ends after line 2, which is not its last",
  },
  {
    why: "goes on after its last line",
    text: `${sealed([HEADER])}${waiting}\n`,
    says: "line 3 follows the last line",
  },
  {
    why: "was changed",
    text: sealed([HEADER, waiting]).replace('"12"', '"13"'),
    says: "line 3 has another checksum than the lines before it",
  },
  {
    why: "lacks a line",
    text: sealed([HEADER, waiting]).replace(`${waiting}\n`, ""),
    says: "line 2 says that 2 lines stand before it; some are missing",
  },
])("an export that $why is refused", async ({ text, says, code = "EXPORT_INVALID" }) => {
  await refusal(text).toMatchObject({ code, message: expect.stringContaining(says) });
});

test("a line that is no UTF-8, and one without an end, are refused", async () => {
  const bytes = Buffer.from(sealed([HEADER, waiting.replace("no job", "no j\u00f6b")]), "latin1");
  await refusal(bytes).toMatchObject({ message: "line 2 is no UTF-8" });
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(1_048_576, "x");
  }
  const lines = readExport(endless());
  await expect(lines.next()).rejects.toMatchObject({
    message: "a line of the export is longer than 8388608 bytes",
  });
});

test("lines are read as they come, and not all at once", async () => {
  let taken = 0;
  async function* slowly(): AsyncGenerator<string> {
    for (const line of writeExport(HEAD, [WAITING, { ...WAITING, entry: "13" }])) {
      taken++;
      yield line;
    }
  }
  const lines = readExport(slowly());
  await lines.next();
  expect(taken).toBe(1);
  expect((await lines.next()).value?.line).toEqual(WAITING);
  expect(taken).toBe(2);
});

test("a row of a receipt of a newer version is refused", () => {
  const row = { v: 2, producer: "ann", id: "m", part: "message", updatedAt: 1 };
  expect(() => lineIn(JSON.stringify({ kind: "receipt", row, expiresAt: 5 }))).toThrow(
    "/row/v must be 1, got 2",
  );
});

test("the row of a job whose message a later one replaced is read as it is", () => {
  const row = { v: 1, producer: "ann", id: "m-1", part: "job#00000000-g", updatedAt: 1, ending: "replaced" };
  const line = { kind: "receipt", row, expiresAt: 5 };
  expect(lineIn(JSON.stringify(line))).toEqual(line);
});
