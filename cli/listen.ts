import { setTimeout as pause } from "node:timers/promises";
import { type Command, Option } from "commander";
import { backoff } from "../shared/backoff.ts";
import { IDLE_SECONDS, LAST_MESSAGES } from "../shared/protocol/limits.ts";
import { Failure, UNREACHABLE_HINT } from "./failure.ts";
import type { Io } from "./io.ts";
import { between, collect } from "./option.ts";
import { parsePlace, places } from "./place.ts";
import { socketUrl } from "./router.ts";
import { type Cut, connect } from "./socket.ts";
import { callerToken } from "./token.ts";

interface ListenOptions {
  readonly user?: string;
  readonly topic?: readonly string[];
  readonly since?: ReadonlyMap<string, number>;
  readonly last?: number;
  readonly ping: number;
  readonly json?: true;
}

/** Pause before connecting again, in milliseconds. */
const RECONNECT = { base: 500, cap: 30_000 };

/** `tagwire listen`: prints frames as they come, until it is interrupted. */
export function listenVerb(program: Command, io: Io): void {
  program
    .command("listen")
    .description("print the frames of messages as they come, one JSON per line; Ctrl-C ends")
    .option("--user <user>", "whose connection this is, where TAGWIRE_TOKEN is not set (default dev)")
    .option("--topic <topic>", "subscribe to it; repeat for more", collect)
    .option("--since <topic=position>", "begin after this place in its stream; repeat for more", parsePlace)
    .option("--last <n>", "begin with the last messages of each stream", between(1, LAST_MESSAGES))
    .addOption(
      new Option("--ping <seconds>", "how often to show the gateway that we are there")
        .argParser(between(1, IDLE_SECONDS))
        .default(IDLE_SECONDS / 2),
    )
    .action((_own: unknown, command: Command) => listen(io, command.optsWithGlobals<ListenOptions>()));
}

async function listen(io: Io, options: ListenOptions): Promise<void> {
  const { user, topic = [], since = new Map<string, number>(), last, ping, json } = options;
  const until = io.interrupt();
  const topics = [...new Set([...topic, ...since.keys()])];
  const known = places(since, last);
  const note = (text: string) => void (json || io.stderr.write(`${text}\n`));
  const url = socketUrl(io);
  let failures = 0;
  let wasReady = false;
  while (!until.aborted) {
    const cut = await connect({
      url,
      token: await callerToken(io, user),
      topics,
      places: known,
      pingEvery: ping * 1000,
      until,
      onFrame: (text) => void io.stdout.write(`${text}\n`),
      onGap: (name) => note(`messages of ${name} were missed, and are not kept any more`),
      onError: (reason) => void io.stderr.write(`tagwire: ${reason}\n`),
      onReady: () => {
        note(`listening at ${url.origin}${topics.map((topic) => ` ${topic}`).join("")}`);
        wasReady = true;
        failures = 0;
      },
    });
    if (until.aborted) return;
    if (cut.kind === "refused" || !wasReady)
      throw new Failure(whyOf(cut, url) + (cut.kind === "unreachable" ? UNREACHABLE_HINT : ""));
    const wait = backoff(failures, RECONNECT, io.random());
    note(`${whyOf(cut, url)}; connecting again in ${Math.ceil(wait / 1000)} s`);
    failures += 1;
    await pause(wait, undefined, { signal: until }).catch(() => undefined);
  }
}

const whyOf = (cut: Cut, url: URL): string =>
  cut.kind === "unreachable" ? `cannot reach ${url.origin}: ${cut.reason}` : cut.reason;
