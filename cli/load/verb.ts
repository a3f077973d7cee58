import { type Command, InvalidArgumentError, Option } from "commander";
import { FRAME_BYTES } from "../../shared/protocol/limits.ts";
import { Failure, UsageError } from "../failure.ts";
import type { Io } from "../io.ts";
import { wholeNumber } from "../option.ts";
import { isLoopback, routerUrl, socketUrl } from "../router.ts";
import { type LoadOptions, load } from "./load.ts";
import { describe, type LoadReport } from "./report.ts";

interface Options extends LoadOptions {
  readonly yesIOwnThis?: true;
  readonly json?: true;
}

/** What the books of a run may hold: a bit for each frame, eight bytes for each message. */
const MOST = { frames: 1_000_000_000, messages: 10_000_000 };

/** `tagwire load`: measures a router under a load of its own making. */
export function loadVerb(program: Command, io: Io): void {
  const option = (flags: string, text: string, most: number, fallback: number) =>
    new Option(flags, text).argParser(between(1, most)).default(fallback);
  program
    .command("load")
    .description("open sockets, post messages at a rate, and report how soon their frames came")
    .addOption(option("--sockets <n>", "how many connections", 50_000, 100))
    .addOption(option("--topics <n>", "topics that they are spread over; one each", 50_000, 10))
    .addOption(option("--connect-rate <n>", "connections opened per second", 10_000, 200))
    .addOption(option("--rate <n>", "messages per second, to the topics in turn", 10_000, 50))
    .addOption(option("--seconds <n>", "how long", 3_600, 10))
    .addOption(
      new Option("--bytes <n>", "padding in each message")
        .argParser(between(0, FRAME_BYTES / 2))
        .default(100),
    )
    .addOption(option("--wait <seconds>", "for the last frames", 600, 10))
    .option("--yes-i-own-this", "the router is not on this machine, but it is mine to load")
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      guard(io, options);
      const report = await load(io, options, options.json === true);
      io.stdout.write(options.json ? `${JSON.stringify(report)}\n` : describe(report));
      judge(report);
    });
}

function guard(io: Io, { sockets, topics, rate, seconds, yesIOwnThis }: Options): void {
  const router = routerUrl(io);
  const remote = [router, ...(isLoopback(router) ? [socketUrl(io)] : [])].find((url) => !isLoopback(url));
  if (remote && !yesIOwnThis)
    throw new UsageError(
      `${remote.origin} is not on this machine; if it is yours to load, say --yes-i-own-this`,
    );
  if (topics > sockets) throw new UsageError(`${topics} topics need as many sockets, got ${sockets}`);
  const messages = rate * seconds;
  const frames = (messages * sockets) / topics;
  if (messages > MOST.messages || frames > MOST.frames)
    throw new UsageError(`a run has at most ${MOST.messages} messages and ${MOST.frames} frames`);
}

/** A frame that did not come, or came twice, fails the command; a refusal with a reason does not. */
function judge({ frames: { lost, repeated, stray }, messages: { unknown }, interrupted }: LoadReport): void {
  const wrong = [
    lost > 0 && !interrupted && `${lost} frames did not come`,
    repeated > 0 && `${repeated} frames came more than once`,
    stray > 0 && `${stray} frames were for another topic`,
    unknown > 0 && `${unknown} messages had no answer`,
  ].filter((part) => part !== false);
  if (wrong.length > 0) throw new Failure(wrong.join(", "));
}

const between = (least: number, most: number) => (text: string) => {
  const number = wholeNumber(text);
  if (number < least || number > most) throw new InvalidArgumentError(`It must be ${least} to ${most}.`);
  return number;
};
