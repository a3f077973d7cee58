import { type Command, CommanderError } from "commander";
import { RouterError } from "../server/errors.ts";
import { TagwireError } from "../shared/protocol/errors.ts";
import { Failure, routerErrorLine, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";

type Outputs = Pick<Io, "stdout" | "stderr">;

/** The exit code of a command line that cannot be understood. */
const USAGE = 2;

/** Lets a program say what is wrong in one line, and end no process. Its commands are added afterwards. */
export const inOneLine = (program: Command, { stdout, stderr }: Outputs): Command =>
  program
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "tagwire: ")),
    })
    .exitOverride();

/** Runs one command line (without the program's own name) and answers its exit code. */
export async function exitCodeOf(
  program: Command,
  argv: readonly string[],
  { stderr }: Pick<Outputs, "stderr">,
): Promise<number> {
  try {
    await program.parseAsync(argv, { from: "user" });
    return 0;
  } catch (fault) {
    // What asks for help or the version ends with 0. Anything else is a wrong command line.
    if (fault instanceof CommanderError) return fault.exitCode === 0 ? 0 : USAGE;
    if (fault instanceof TagwireError) stderr.write(`tagwire: ${fault.code}: ${fault.message}\n`);
    else if (fault instanceof RouterError) stderr.write(`tagwire: ${routerErrorLine(fault)}\n`);
    else if (fault instanceof Failure) stderr.write(`tagwire: ${fault.message}\n`);
    else throw fault;
    return isUsage(fault) ? USAGE : 1;
  }
}

const isUsage = (fault: Error): boolean =>
  fault instanceof UsageError || (fault instanceof TagwireError && fault.code === "SETTINGS_INVALID");
