import { type Command, InvalidArgumentError, Option } from "commander";
import {
  BATCH_MESSAGES,
  CONNECTION_SECONDS,
  FRAME_BYTES,
  IDLE_SECONDS,
  QUEUE_BATCH,
} from "../../shared/protocol/limits.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { UsageError } from "../failure.ts";
import type { Io } from "../io.ts";
import { parseSettings } from "../option.ts";
import { ASSUMPTIONS, type Load, PING_SECONDS, parseTraffic, type Traffic } from "./load.ts";
import { plan } from "./plan.ts";
import { everyoneKeys, QUOTAS, STACK } from "./quotas.ts";
import { describe } from "./report.ts";

interface Options extends Omit<Load, "sessionSeconds" | "pingSeconds" | "pingsAlways"> {
  readonly session: number;
  readonly ping: number;
  readonly pingAlways?: true;
  readonly quota?: number;
  readonly connects: number;
  readonly runs: number;
  readonly tableWrites: number;
  readonly warmWrites: number;
  readonly httpRate: number;
  readonly socketRate: number;
  readonly listKeys?: number;
  readonly failureReceiptsOnly?: true;
  readonly reserve: boolean;
  readonly sendMs: number;
  readonly outage: number;
  readonly settings?: Settings;
  readonly json?: true;
}

/** What is planned where no traffic is named: some messages for one, and a few for many. */
const exampleFor = (connections: number): readonly Traffic[] => [
  { rate: 10, audience: Math.min(1, connections), priority: "normal" },
  { rate: 0.1, audience: Math.min(1_000, connections), priority: "normal" },
];

/** `tagwire plan`: what a load needs of an account, what it costs, and which limit it meets first. */
export function planVerb(program: Command, io: Io): void {
  const option = (flags: string, text: string, range: readonly [number, number], fallback: number) =>
    new Option(flags, text).argParser(within(...range)).default(fallback);
  program
    .command("plan")
    .description("what a load needs, what it costs a month, and which limit it meets first")
    .addOption(
      new Option(
        "--traffic <rate:connections>",
        "messages per second, connections that each is for, and [:priority]; repeat for more (default 10:1 and 0.1:1000)",
      ).argParser(parseTraffic),
    )
    .addOption(option("--connections <n>", "open at once", [0, 1e9], 1_000))
    .addOption(
      option(
        "--session <seconds>",
        "how long a connection is open",
        [1, CONNECTION_SECONDS],
        CONNECTION_SECONDS,
      ),
    )
    .addOption(option("--topics <n>", "that a connection subscribes to", [0, 200], 1))
    .addOption(
      option(
        "--ping <seconds>",
        "silence after which a client pings (tagwire/client: 540); 0 for never",
        [0, IDLE_SECONDS],
        PING_SECONDS,
      ),
    )
    .addOption(new Option("--ping-always", "clients ping that often, whatever they hear"))
    .addOption(
      option(
        "--token-seconds <n>",
        "how long a token holds that clients refresh; 0 if none does",
        [0, CONNECTION_SECONDS],
        0,
      ),
    )
    .addOption(option("--bytes <n>", "of a frame", [1, FRAME_BYTES], 1_000))
    .addOption(option("--per-post <n>", "messages in one POST", [1, BATCH_MESSAGES], 1))
    .addOption(
      option("--per-run <n>", "messages in one run; more than 1 only where they wait", [1, QUEUE_BATCH], 1),
    )
    .addOption(option("--peak <factor>", "the busiest second, in times of the average", [1, 1_000], 3))
    .addOption(option("--outage <seconds>", "of which the backlog is to drain", [1, 345_600], 600))
    .addOption(
      new Option(
        "--quota <n>",
        "the account's API Gateway requests per second (default: that of the settings)",
      ).argParser(within(1, 1e6)),
    )
    .addOption(
      option("--connects <n>", "the account's new connections per second", [1, 1e6], QUOTAS.connects),
    )
    .addOption(option("--runs <n>", "the account's Lambda concurrency", [1, 1e6], QUOTAS.runs))
    .addOption(
      option(
        "--table-writes <n>",
        "the account's DynamoDB write units per second of one table",
        [1, 1e9],
        QUOTAS.tableWrites,
      ),
    )
    .addOption(
      option(
        "--warm-writes <n>",
        "write units per second that the tables of connections take at once",
        [1, 1e9],
        QUOTAS.warmWrites,
      ),
    )
    .addOption(option("--http-rate <n>", "throttle of the HTTP stage", [1, 1e6], STACK.httpRate))
    .addOption(option("--socket-rate <n>", "throttle of the WebSocket stage", [1, 1e6], STACK.socketRate))
    .addOption(
      new Option(
        "--list-keys <n>",
        "partition keys of a list that all connections join (default: as spreadTags says of everyone)",
      ).argParser(within(1, 256)),
    )
    .addOption(
      new Option(
        "--failure-receipts-only",
        "as with the setting failureReceiptsOnly, where no message brings an id of its own",
      ),
    )
    .addOption(new Option("--no-reserve", "as for a deploy with -c tagwire:reserve=false"))
    .addOption(option("--send-ms <n>", "how long a send takes; measure yours", [1, 10_000], ASSUMPTIONS.send))
    .addOption(
      new Option("--settings <json>", "settings that differ from the defaults").argParser(parseSettings),
    )
    .action((_own: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const base = options.settings ?? DEFAULTS;
      const { quota = base.quotaRequestsPerSecond, connects, runs, sendMs, outage, session, json } = options;
      const { connections, topics, bytes, perPost, perRun, peak } = options;
      const { traffic = exampleFor(connections) } = options;
      const { ping, pingAlways = false, tokenSeconds, tableWrites, warmWrites } = options;
      const { httpRate, socketRate, listKeys = everyoneKeys(base), reserve } = options;
      const widest = Math.max(...traffic.map(({ audience }) => audience));
      if (widest > connections)
        throw new UsageError(`a message for ${widest} needs as many --connections, got ${connections}`);
      const load = {
        ...{ traffic, connections, sessionSeconds: session, topics, bytes, perPost, perRun, peak },
        ...{ pingSeconds: ping, pingsAlways: pingAlways, tokenSeconds },
      };
      const { failureReceiptsOnly = base.failureReceiptsOnly } = options;
      const settings = { ...base, quotaRequestsPerSecond: quota, failureReceiptsOnly };
      const found = plan({
        load,
        settings,
        quotas: { ...QUOTAS, requests: quota, connects, runs, tableWrites, warmWrites },
        stack: { httpRate, socketRate, listKeys, reserves: reserve },
        assumed: { ...ASSUMPTIONS, send: sendMs },
        outageSeconds: outage,
      });
      io.stdout.write(json ? `${JSON.stringify({ load, ...found })}\n` : describe(found, load));
    });
}

const within = (least: number, most: number) => (text: string) => {
  const number = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`It must be ${least} to ${most}.`);
};
