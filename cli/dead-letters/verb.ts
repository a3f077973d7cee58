import { type Command, InvalidArgumentError, Option } from "commander";
import { QUEUE_BATCH, VISIBILITY_SECONDS } from "../../shared/protocol/limits.ts";
import type { Io } from "../io.ts";
import { filled, once, wholeNumber } from "../option.ts";
import { type Filter, parseAge, parseReason } from "./filter.ts";
import { list, show } from "./list.ts";
import { purge } from "./purge.ts";
import { openQueue } from "./queue.ts";
import { receipts } from "./reason.ts";
import { redrive } from "./redrive.ts";
import type { Selection } from "./select.ts";

interface Options extends Filter {
  readonly queue?: string;
  readonly limit?: number;
  readonly hold: number;
  readonly rate: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** `tagwire dead-letters`: lists, redrives and purges the dead-letter queue. */
export function deadLettersVerb(program: Command, io: Io): void {
  const group = program
    .command("dead-letters")
    .description("list, show, redrive or purge messages that ran out of attempts");

  filtered(group.command("list").description("print a line for each")).action(
    action(io, (selection, { json = false }) => list(io, { ...selection, reasons: true }, json)),
  );
  common(group.command("show").description("print one whole, with its receipt"))
    .argument("<id>", "the message's id, or the entry's where the body cannot be parsed", filled)
    .action((id: string, _own: unknown, command: Command) =>
      action(io, (selection, { json = false }) =>
        show(io, { ...selection, filter: { id }, reasons: true }, json),
      )(_own, command),
    );
  filtered(group.command("redrive").description("send them back to their lanes, to go on where they stopped"))
    .addOption(new Option("--rate <n>", "how many per second").argParser(atLeastOne).default(100))
    .option("--dry-run", "only say what would be done")
    .action(
      action(io, (selection, { rate, dryRun = false, json = false }) => {
        const batch = Math.min(QUEUE_BATCH, rate);
        return redrive(io, { ...selection, batch, reasons: json }, { rate, dryRun, json });
      }),
    );
  filtered(group.command("purge").description("delete them for good"))
    .option("--yes", "all of them, where no filter narrows it")
    .option("--dry-run", "only say what would be done")
    .action(
      action(io, (selection, { yes = false, dryRun = false, json = false }) =>
        purge(io, { ...selection, reasons: json }, { yes, dryRun, json }),
      ),
    );
}

const common = (command: Command): Command =>
  command
    .option(
      "--queue <url>",
      "the dead-letter queue, if not TAGWIRE_DEAD_LETTER_QUEUE_URL or a local router's",
      filled,
    )
    .addOption(
      new Option("--hold <seconds>", "how long dead letters stay hidden if the command is killed")
        .argParser(holdSeconds)
        .default(120),
    );

const filtered = (command: Command): Command =>
  common(command)
    .option("--id <id>", "only this message, or this entry", once)
    .option("--producer <user>", "only what this user posted", once)
    .option(
      "--target <target>",
      "only for topic:orders, user:1001, connection:C, another tag, or everyone",
      once,
    )
    .option("--reason <text>", "only where the reason has this text, or matches /this/", parseReason)
    .option("--older <age>", "only what was sent there at least so long ago: 90s, 15m, 2h, 3d", parseAge)
    .option("--newer <age>", "only what was sent there at most so long ago", parseAge)
    .option("--limit <n>", "no more than this many", atLeastOne);

const action =
  (io: Io, run: (selection: Selection, options: Options) => Promise<void>) =>
  async (_own: unknown, command: Command): Promise<void> => {
    const options = command.optsWithGlobals<Options>();
    const { queue, limit = Number.POSITIVE_INFINITY, hold, ...filter } = options;
    const selection: Selection = {
      queue: await openQueue(io, queue),
      filter,
      limit,
      holdSeconds: hold,
      batch: QUEUE_BATCH,
      lookup: receipts(io),
      reasons: false,
    };
    await run(selection, options);
  };

function atLeastOne(text: string): number {
  const number = wholeNumber(text);
  if (number < 1) throw new InvalidArgumentError("It must be at least 1.");
  return number;
}

function holdSeconds(text: string): number {
  const seconds = atLeastOne(text);
  if (seconds > VISIBILITY_SECONDS)
    throw new InvalidArgumentError(`SQS hides a message for at most ${VISIBILITY_SECONDS} seconds.`);
  return seconds;
}
