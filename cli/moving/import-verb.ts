import { setTimeout as pause } from "node:timers/promises";
import { type Command, Option } from "commander";
import type { NumberedLine } from "../../shared/moving/reader.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import { DELAY_SECONDS } from "../../shared/protocol/limits.ts";
import { Failure, missing, UsageError } from "../failure.ts";
import type { Io } from "../io.ts";
import { between } from "../option.ts";
import { progress } from "../progress.ts";
import type { Carried, Destination } from "./carry.ts";
import { readOutputs } from "./outputs.ts";

interface Options {
  readonly outputs?: string;
  readonly stack?: string;
  readonly holdSeconds: number;
  readonly streams: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `tagwire import`: puts what `tagwire export` wrote into an account. The SDK is only loaded here. */
export function importVerb(program: Command, io: Io): void {
  program
    .command("import")
    .description("put what export wrote, on standard input, into the queues and tables of a stack")
    .option("--outputs <file>", "the outputs of the stack: what cdk deploy --outputs-file wrote")
    .option("--stack <name>", "which stack of that file, if it has several routers")
    .addOption(
      new Option("--hold-seconds <n>", "how long clients have to connect before waiting messages are sent")
        .argParser(between(0, DELAY_SECONDS))
        .default(60),
    )
    .option("--no-streams", "leave streams out")
    .option("--dry-run", "only check the export, and count what is in it")
    .action(async (_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      if (io.stdin.isTTY)
        throw new UsageError("import reads an export on standard input: tagwire export | …");
      const { readExport } = await import("../../shared/moving/reader.ts");
      const lines = readExport(io.stdin as AsyncIterable<Uint8Array>);
      await (options.dryRun ? checkOnly(io, lines, options) : importInto(io, lines, options));
    });
}

async function checkOnly(io: Io, lines: AsyncIterable<NumberedLine>, { json }: Options): Promise<void> {
  const found: Record<string, number> = { stream: 0, receipt: 0, "dead-letter": 0, waiting: 0 };
  for await (const { line } of lines) if (line.kind in found) found[line.kind] = (found[line.kind] ?? 0) + 1;
  io.stdout.write(json ? `${JSON.stringify({ found })}\n` : `the export is good: ${counted(found)}\n`);
}

async function importInto(
  io: Io,
  lines: AsyncIterable<NumberedLine>,
  { outputs, stack, holdSeconds, streams, json = false }: Options,
): Promise<void> {
  if (outputs === undefined)
    throw new UsageError("import needs --outputs, the file that cdk deploy --outputs-file wrote");
  const found = readOutputs(outputs, stack);
  if (streams && found.streamsTable === undefined)
    throw new Failure(
      "the stack keeps no streams: deploy it with the settings of this router, or leave streams out with --no-streams",
    );
  const [{ openAccount }, { carry }] = await Promise.all([
    import("./account.ts").catch(missing("import asks SQS and DynamoDB through clients", CLIENTS)),
    import("./carry.ts"),
  ]);
  const bar = progress(io, json);
  const warn = (event: string, fields: object, fault?: unknown) => {
    bar.end();
    const why = fault instanceof Error ? `: ${fault.message}` : "";
    io.stderr.write(`tagwire: ${event} ${JSON.stringify(fields)}${why}\n`);
  };
  const { streams: table, ...account } = openAccount(io.env, found, warn);
  const to: Destination = streams && table ? { ...account, streams: table } : account;
  let done = 0;
  try {
    const carried = await carry(lines, to, {
      holdSeconds,
      clock: { now: io.now, pause: (milliseconds) => pause(milliseconds) },
      random: io.random,
      onLines(number) {
        done = number;
        bar.show(number, undefined, `${number} lines`);
      },
    });
    bar.end();
    report(io, carried, json);
  } catch (fault) {
    bar.end();
    if (!(fault instanceof TagwireError)) throw fault;
    throw new TagwireError(
      fault.code,
      `${fault.message} (${done} lines were carried; run it again with the whole export)`,
      {
        cause: fault,
      },
    );
  }
}

function report(io: Io, { carried, there, begun }: Carried, json: boolean): void {
  const again = there > 0 ? `; ${there} were there already` : "";
  io.stdout.write(
    json ? `${JSON.stringify({ carried, there, begun })}\n` : `carried ${counted(carried)}${again}\n`,
  );
  if (begun.length > 0)
    throw new Failure(
      `streams that had begun in the stack by themselves were left as they are, and clients that come back are told of a gap: ${begun.join(", ")}`,
    );
}

const counted = (by: Readonly<Record<string, number>>): string =>
  `${by["waiting"]} waiting messages, ${by["dead-letter"]} dead letters, ${by["receipt"]} rows of receipts, ${by["stream"]} rows of streams`;

/** The clients that an import needs: optional peers of the package. */
const CLIENTS = "@aws-sdk/client-sqs @aws-sdk/client-dynamodb";
