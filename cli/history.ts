import { type Command, Option } from "commander";
import { RouterError } from "../server/errors.ts";
import { isObject } from "../server/request.ts";
import { LAST_MESSAGES } from "../shared/protocol/limits.ts";
import { OWN_STREAM } from "../shared/protocol/stream-frame.ts";
import type { Io } from "./io.ts";
import { between } from "./option.ts";
import { caughtUp } from "./place.ts";
import { read } from "./router.ts";

interface HistoryOptions {
  readonly since?: number;
  readonly last: number;
  readonly user?: string;
  readonly json?: true;
}

/** Messages that are printed if the command line does not say where to begin. */
const LAST = 20;

/** `tagwire history`: prints the kept messages of a topic, page by page. */
export function historyVerb(program: Command, io: Io): void {
  program
    .command("history")
    .argument("<topic>", `a topic that keeps a stream, or ${OWN_STREAM} for the messages of the token's user`)
    .description("print the kept messages of a topic, one JSON per line")
    .addOption(
      new Option("--since <position>", "all after this place in the stream")
        .argParser(between(0, Number.MAX_SAFE_INTEGER))
        .conflicts("last"),
    )
    .option("--last <n>", "the last ones", between(1, LAST_MESSAGES), LAST)
    .option("--user <user>", "whose token it is, where TAGWIRE_TOKEN is not set (default dev)")
    .action((topic: string, _own: unknown, command: Command) =>
      history(io, topic, command.optsWithGlobals<HistoryOptions>()),
    );
}

/** Throws RESPONSE_INVALID if it is not what a router answers. */
function pageIn(body: unknown): Readonly<Record<string, unknown>> {
  if (isObject(body) && Array.isArray(body["messages"])) return body;
  throw new RouterError("RESPONSE_INVALID", "the router's response has no messages");
}

async function history(io: Io, topic: string, { since, last, user, json }: HistoryOptions): Promise<void> {
  let query: Readonly<Record<string, string>> =
    since === undefined ? { last: `${last}` } : { since: `${since}` };
  const stream = topic === OWN_STREAM ? { user: "me" } : { topic };
  for (;;) {
    const path = `v1/history?${new URLSearchParams({ ...stream, ...query })}`;
    const body = pageIn(await read(io, path, user));
    const { messages, missed, positions, more } = caughtUp({ ...body, type: "history" });
    const position = positions[0]?.[1];
    if (json) io.stdout.write(`${JSON.stringify(body)}\n`);
    else for (const message of messages) io.stdout.write(`${JSON.stringify(message)}\n`);
    if (missed.length > 0 && !json)
      io.stderr.write(`messages of ${topic} were missed, and are not kept any more\n`);
    if (more.length === 0 || position === undefined) {
      const place = position === undefined ? `${topic} keeps no stream` : `position ${position}`;
      if (!json) io.stderr.write(`${place}\n`);
      return;
    }
    query = { since: `${position}` };
  }
}
