import type { OutgoingMessage } from "../server/publish.ts";
import { BATCH_MESSAGES, BODY_BYTES } from "../shared/protocol/limits.ts";
import { parseJson } from "../shared/protocol/parse.ts";
import { Failure, reasonLine, routerErrorLine } from "./failure.ts";
import type { Io } from "./io.ts";
import { batched, type Line, linesOf } from "./lines.ts";
import { publisherFor } from "./router.ts";

/** A line that was read: its data, and the text that it was read from. */
interface Row extends Line {
  readonly data: unknown;
}

/**
 * Posts each line of standard input as the data of one message, in arrays, one request at a time. A bad line is
 * named on stderr and does not stop the rest. Throws a Failure at the end where any message was not queued.
 */
export async function sendStream(
  io: Io,
  envelope: Omit<OutgoingMessage, "data">,
  json: boolean,
): Promise<void> {
  if (io.stdin.isTTY) io.stderr.write("reading JSON, one per line; Ctrl-D ends\n");
  const count = { queued: 0, refused: 0 };
  const refuse = (line: Line, reason: string) => {
    count.refused += 1;
    io.stderr.write(`line ${line.number}: ${reason}\n`);
  };
  const router = await publisherFor(io);
  for await (const rows of batched(rowsOf(io, refuse), limitsFor(envelope))) {
    const results = await router.publishAll(rows.map(({ data }) => ({ ...envelope, data })));
    for (const [i, result] of results.entries()) {
      if (result.state === "failed") continue;
      if (json) io.stdout.write(`${JSON.stringify(result)}\n`);
      if (result.state === "queued") count.queued += 1;
      else if (rows[i]) refuse(rows[i], reasonLine(result.problem));
    }
    const failed = results.find((result) => result.state === "failed");
    if (failed) {
      const unknown = rows.filter((_, i) => results[i]?.state === "failed");
      throw new Failure(`${routerErrorLine(failed.error)} (${whereOf(unknown, count.queued)})`);
    }
  }
  if (!json) io.stdout.write(`queued ${count.queued}\n`);
  const total = count.queued + count.refused;
  if (count.refused > 0) throw new Failure(`${count.refused} of ${total} messages were not queued`);
}

/** Where to go on after a request that failed. */
function whereOf(unknown: readonly Line[], queued: number): string {
  const [first, last] = [unknown.at(0)?.number, unknown.at(-1)?.number];
  const lines = first === last ? `line ${first}` : `lines ${first}-${last}`;
  return `perhaps not queued: ${lines}; queued for sure: ${queued}`;
}

async function* rowsOf(io: Io, refuse: (line: Line, reason: string) => void): AsyncGenerator<Row> {
  for await (const line of linesOf(io.stdin)) {
    const json = parseJson(line.text);
    if (json.ok) yield { ...line, data: json.value };
    else refuse(line, json.refusal.detail);
  }
}

/** What surrounds the data is the same in each message, and counts against the limit of the body too. */
function limitsFor(envelope: object) {
  const overhead = Buffer.byteLength(JSON.stringify({ ...envelope, data: 0 })) + 1;
  return { items: BATCH_MESSAGES, bytes: BODY_BYTES - overhead * BATCH_MESSAGES };
}
