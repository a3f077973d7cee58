import { existsSync, readFileSync } from "node:fs";
import tab from "@bomb.sh/tab/commander";
import { Command } from "commander";
import { backupVerb } from "./backup.ts";
import { cancelVerb } from "./cancel.ts";
import { deadLettersVerb } from "./dead-letters/verb.ts";
import { disconnectVerb } from "./disconnect.ts";
import { doctorVerb } from "./doctor/verb.ts";
import { historyVerb } from "./history.ts";
import type { Io } from "./io.ts";
import { listenVerb } from "./listen.ts";
import { loadVerb } from "./load/verb.ts";
import { exportVerb } from "./moving/export-verb.ts";
import { importVerb } from "./moving/import-verb.ts";
import { filled } from "./option.ts";
import { planVerb } from "./plan/verb.ts";
import { receiptVerb } from "./receipt.ts";
import { exitCodeOf, inOneLine } from "./run.ts";
import { sendVerb } from "./send.ts";
import { startVerb } from "./start.ts";
import { tokenVerb } from "./token.ts";

/** A verb adds itself to the program. A new one is a file and a word in this list. */
const VERBS: readonly ((program: Command, io: Io) => void)[] = [
  startVerb,
  sendVerb,
  listenVerb,
  historyVerb,
  receiptVerb,
  cancelVerb,
  disconnectVerb,
  deadLettersVerb,
  backupVerb,
  exportVerb,
  importVerb,
  tokenVerb,
  loadVerb,
  planVerb,
  doctorVerb,
];

/** Runs one command line (without the program's own name) and answers its exit code. */
export const run = (argv: readonly string[], io: Io): Promise<number> => exitCodeOf(program(io), argv, io);

/** The options that stand for a variable of the environment, so that a script can name the router that it calls. */
const FOR_VARIABLES = {
  url: "TAGWIRE_URL",
  socketUrl: "TAGWIRE_SOCKET_URL",
  token: "TAGWIRE_TOKEN",
} as const;

function program(given: Io): Command {
  const env = { ...given.env };
  const io: Io = { ...given, env };
  const command = inOneLine(new Command("tagwire"), io)
    .description("Talk to a Tagwire router.")
    .version(version(), "--version", "print the version")
    .option("--json", "print JSON, one value per line, for scripts")
    .option("--url <address>", "the router, instead of TAGWIRE_URL", filled)
    .option("--socket-url <address>", "its WebSocket, instead of TAGWIRE_SOCKET_URL", filled)
    .option("--token <jwt>", "the token to call with, instead of TAGWIRE_TOKEN", filled)
    .hook("preAction", (program) => {
      const options = program.opts<Partial<Record<keyof typeof FOR_VARIABLES, string>>>();
      for (const [option, variable] of Object.entries(FOR_VARIABLES))
        env[variable] = options[option as keyof typeof FOR_VARIABLES] ?? env[variable];
    })
    .addHelpText("after", ENVIRONMENT)
    .configureHelp({ showGlobalOptions: true });
  for (const verb of VERBS) verb(command, io);
  tab(command, { completionCommandName: "completion" });
  return command;
}

/** The manifest stands one folder above in the repository, and two in the package. */
function version(): string {
  const [file] = ["../package.json", "../../package.json"]
    .map((path) => new URL(path, import.meta.url))
    .filter((url) => existsSync(url));
  return file === undefined ? "unknown" : JSON.parse(readFileSync(file, "utf8")).version;
}

const ENVIRONMENT = `
Environment:
  TAGWIRE_URL         the router (default http://127.0.0.1:3000)
  TAGWIRE_SOCKET_URL  its socket (default made from TAGWIRE_URL, for a local router)
  TAGWIRE_DEAD_LETTER_QUEUE_URL
                      the dead-letter queue (default that of a local router)
  TAGWIRE_TOKEN       the token to use (default one signed with TAGWIRE_SECRET)
  TAGWIRE_SECRET      signs tokens, at least 32 bytes (default the secret of a local router)
  TAGWIRE_CLAIM       the claim of a token that holds its grant (default tagwire)`;
