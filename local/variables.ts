import { readFileSync } from "node:fs";
import { GRANT_CLAIM } from "../shared/protocol/grant.ts";
import { DEV_SECRET } from "../shared/settings/dev-secret.ts";
import type { SettingsOverrides } from "../shared/settings/schema.ts";

/** What the environment of `npm start` says. */
export interface Variables {
  readonly port: number;
  readonly secret: string;
  readonly claim: string;
  readonly origins: readonly string[];
  /** The address to listen on. */
  readonly host: string;
  /** The folder of its data. */
  readonly data: string;
  /** What the settings file says. Absent if none is named. */
  readonly settings?: SettingsOverrides;
}

/** Reads the environment. Throws an error that names the variable and what would do. */
export function readVariables(env: NodeJS.ProcessEnv): Variables {
  const { PORT = "3000", TAGWIRE_SECRET: secret = DEV_SECRET, TAGWIRE_ORIGINS = "" } = env;
  const host = env.HOST || LOOPBACK;
  if (secret === DEV_SECRET && !isLoopback(host)) {
    throw new Error(
      `TAGWIRE_SECRET is missing: the development secret is public, and HOST=${host} lets other machines in`,
    );
  }
  return {
    host,
    data: env.TAGWIRE_DATA || ".tagwire",
    ...(env.TAGWIRE_SETTINGS ? { settings: settingsIn(env.TAGWIRE_SETTINGS) } : {}),
    port: portIn(PORT),
    secret: checked(secret),
    claim: env.TAGWIRE_CLAIM || GRANT_CLAIM,
    origins: originsIn(TAGWIRE_ORIGINS),
  };
}

/** Names and values are checked when the router starts. */
function settingsIn(file: string): SettingsOverrides {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : fault;
    throw new Error(`TAGWIRE_SETTINGS must name a JSON file of settings, got "${file}": ${why}`);
  }
}

const LOOPBACK = "127.0.0.1";

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\./.test(host);

function portIn(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new Error(`PORT must be 0-65535, got "${text}"`);
}

/** HS256 wants a key as long as its hash (RFC 7518 §3.2). */
const SECRET_BYTES = 32;

function checked(secret: string): string {
  if (secret === "") {
    throw new Error(
      "TAGWIRE_SECRET is empty: set at least 32 bytes, or unset it to use the development secret",
    );
  }
  const bytes = Buffer.byteLength(secret);
  if (bytes >= SECRET_BYTES) return secret;
  throw new Error(`TAGWIRE_SECRET must have at least ${SECRET_BYTES} bytes, got ${bytes}`);
}

const originsIn = (text: string): string[] =>
  text
    .split(",")
    .map((origin) => origin.trim())
    .filter((origin) => origin !== "")
    .map(originOf);

/** The origin as browsers write it: in lower case and without the port that its scheme implies. */
function originOf(text: string): string {
  // What a page that was opened from a file says of itself.
  if (text === "null") return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin;
  throw new Error(`TAGWIRE_ORIGINS must list origins such as https://app.example, got "${text}"`);
}
