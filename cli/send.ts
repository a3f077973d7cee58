import { type Command, Option } from "commander";
import type { OutgoingMessage } from "../server/publish.ts";
import { PRIORITIES, type Priority } from "../shared/protocol/lane.ts";
import { parseJson } from "../shared/protocol/parse.ts";
import { parseExpression } from "./expression.ts";
import { UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { once, wholeNumber } from "./option.ts";
import { publisherFor } from "./router.ts";
import { sendStream } from "./stream.ts";

interface SendOptions {
  readonly topic?: string;
  readonly user?: string;
  readonly connection?: string;
  readonly tags?: string;
  readonly everyone?: true;
  readonly event?: string;
  readonly id?: string;
  readonly priority?: Priority;
  readonly ttl?: number;
  readonly delay?: number;
  readonly json?: true;
}

/** `tagwire send`: posts one message, or one for each line of standard input. */
export function sendVerb(program: Command, io: Io): void {
  program
    .command("send")
    .description("post a message; exactly one of --topic, --user, --connection, --tags, --everyone")
    .option("--topic <topic>", "to those who subscribed to it", once)
    .option("--user <user>", "to all connections of a user", once)
    .option("--connection <id>", "to one connection", once)
    .option(
      "--tags <expression>",
      "to those who match: 'region:gd any plan:pro plan:team none user:1001'",
      once,
    )
    .option("--everyone", "to all")
    .option("--event <name>", "what happened, as in order.shipped")
    .option("--id <id>", "the message's id; posting it again changes nothing")
    .addOption(new Option("--priority <priority>", "its lane").choices(PRIORITIES))
    .option("--ttl <seconds>", "drop it after so long", wholeNumber)
    .option("--delay <seconds>", "deliver it no sooner than this", wholeNumber)
    .argument("[data]", "JSON; without it, standard input is read, one JSON per line")
    .action(async (data: string | undefined, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<SendOptions>();
      const json = options.json === true;
      const envelope = envelopeOf(options);
      if (data !== undefined) return sendOne(io, { ...envelope, data: dataOf(data) }, json);
      if (options.id === undefined) return sendStream(io, envelope, json);
      throw new UsageError("--id names one message, so give its data as an argument");
    });
}

async function sendOne(io: Io, message: OutgoingMessage, json: boolean): Promise<void> {
  const queued = await (await publisherFor(io)).publish(message);
  io.stdout.write(json ? `${JSON.stringify(queued)}\n` : `queued ${queued.id}\n`);
}

function envelopeOf(options: SendOptions): Omit<OutgoingMessage, "data"> {
  const { event, id, priority, ttl, delay } = options;
  return {
    target: targetOf(options),
    ...(event === undefined ? {} : { event }),
    ...(id === undefined ? {} : { id }),
    ...(priority === undefined ? {} : { priority }),
    ...(ttl === undefined ? {} : { ttlSeconds: ttl }),
    ...(delay === undefined ? {} : { delaySeconds: delay }),
  };
}

function targetOf({ topic, user, connection, tags, everyone }: SendOptions): OutgoingMessage["target"] {
  const targets = [
    topic === undefined ? undefined : { topic },
    user === undefined ? undefined : { user },
    connection === undefined ? undefined : { connection },
    tags === undefined ? undefined : parseExpression(tags),
    everyone && { everyone },
  ].filter((target) => target !== undefined);
  const [only, second] = targets;
  if (only && !second) return only;
  throw new UsageError("give exactly one of --topic, --user, --connection, --tags, --everyone");
}

function dataOf(text: string): unknown {
  const json = parseJson(text);
  if (json.ok) return json.value;
  throw new UsageError(`the data must be JSON, as in '{"total":1}' or '"a text"', got ${text}`);
}
