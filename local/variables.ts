import { readFileSync } from "node:fs";
import type { Issuer } from "../shared/adapters/jwt/issuer-tokens.ts";
import { messageOf } from "../shared/protocol/errors.ts";
import { GRANT_CLAIM } from "../shared/protocol/grant.ts";
import { DEV_SECRET } from "../shared/settings/dev-secret.ts";
import type { SettingsOverrides } from "../shared/settings/schema.ts";
import type { CertificateFiles } from "./certificate.ts";
import { callers } from "./gateway/caller.ts";
import { LEVELS, type Level } from "./log.ts";

/** What the environment of `npm start` says. */
export interface Variables {
  readonly port: number;
  /** Absent if an issuer signs the tokens. */
  readonly secret?: string;
  readonly issuer?: Issuer;
  /** The files of its TLS certificate. */
  readonly tls?: CertificateFiles;
  /** Addresses and ranges of the proxies before it. */
  readonly trustedProxies: readonly string[];
  readonly claim: string;
  readonly origins: readonly string[];
  /** The address to listen on. */
  readonly host: string;
  /** The level of the log: its records and those of the levels before it are written. */
  readonly level: Level;
  /** The folder of its data. */
  readonly data: string;
  /** What the settings file says. Absent if none is named. */
  readonly settings?: SettingsOverrides;
}

/** Reads the environment. Throws an error that names the variable and what would do. */
export function readVariables(env: NodeJS.ProcessEnv): Variables {
  const { PORT = "3000", TAGWIRE_ORIGINS = "" } = env;
  const host = env.HOST || LOOPBACK;
  const trustedProxies = listIn(env.TAGWIRE_TRUSTED_PROXIES);
  const issuer = issuerIn(env);
  const secret = issuer ? undefined : (env.TAGWIRE_SECRET ?? DEV_SECRET);
  const opening = isLoopback(host) ? "TAGWIRE_TRUSTED_PROXIES" : `HOST=${host}`;
  if (secret === DEV_SECRET && (!isLoopback(host) || trustedProxies.length > 0)) {
    throw new Error(
      `TAGWIRE_SECRET is missing: the development secret is public, and ${opening} lets other machines in`,
    );
  }
  const tls = tlsIn(env);
  return {
    host,
    level: levelIn(env.LOG_LEVEL || "info"),
    data: env.TAGWIRE_DATA || ".tagwire",
    ...(env.TAGWIRE_SETTINGS ? { settings: settingsIn(env.TAGWIRE_SETTINGS) } : {}),
    port: portIn(PORT),
    ...(issuer ? { issuer } : {}),
    ...(secret === undefined ? {} : { secret: checked(secret) }),
    ...(tls ? { tls } : {}),
    trustedProxies: proxiesIn(trustedProxies),
    claim: env.TAGWIRE_CLAIM || GRANT_CLAIM,
    origins: originsIn(TAGWIRE_ORIGINS),
  };
}

/** Names and values are checked when the router starts. */
function settingsIn(file: string): SettingsOverrides {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (fault) {
    // What a parser says of the text may quote its line feeds.
    const why = messageOf(fault).replaceAll(/\s+/g, " ");
    throw new Error(`TAGWIRE_SETTINGS must name a JSON file of settings, got "${file}": ${why}`);
  }
}

const LOOPBACK = "127.0.0.1";

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\./.test(host);

function levelIn(text: string): Level {
  const level = LEVELS.find((each) => each === text.toLowerCase());
  if (level) return level;
  throw new Error(`LOG_LEVEL must be one of ${LEVELS.join(", ")}, got "${text}"`);
}

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

const listIn = (text = ""): string[] =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

const originsIn = (text: string): string[] => listIn(text).map(originOf);

function proxiesIn(proxies: readonly string[]): readonly string[] {
  try {
    callers(proxies);
    return proxies;
  } catch (fault) {
    throw new Error(`TAGWIRE_TRUSTED_PROXIES: ${messageOf(fault)}`);
  }
}

function tlsIn({
  TAGWIRE_TLS_CERT: cert,
  TAGWIRE_TLS_KEY: key,
}: NodeJS.ProcessEnv): CertificateFiles | undefined {
  if (cert && key) return { cert, key };
  if (!cert && !key) return undefined;
  const [named, missing] = cert
    ? ["TAGWIRE_TLS_CERT", "TAGWIRE_TLS_KEY"]
    : ["TAGWIRE_TLS_KEY", "TAGWIRE_TLS_CERT"];
  throw new Error(`${missing} is missing: ${named} names a file, and TLS needs both`);
}

function issuerIn(env: NodeJS.ProcessEnv): Issuer | undefined {
  const { TAGWIRE_ISSUER: issuer, TAGWIRE_AUDIENCE: audience, TAGWIRE_JWKS_URI: jwksUri } = env;
  if (!issuer) {
    const stray = audience ? "TAGWIRE_AUDIENCE" : "TAGWIRE_JWKS_URI";
    if (audience || jwksUri) throw new Error(`TAGWIRE_ISSUER is missing: ${stray} says more of an issuer`);
    return undefined;
  }
  if (env.TAGWIRE_SECRET !== undefined)
    throw new Error("TAGWIRE_ISSUER and TAGWIRE_SECRET are both set: tokens are of an issuer or of a secret");
  if (!audience) throw new Error("TAGWIRE_AUDIENCE is missing: set it to the `aud` of the issuer's tokens");
  const address = jwksUri || issuer;
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new Error(
      `${jwksUri ? "TAGWIRE_JWKS_URI" : "TAGWIRE_ISSUER"} must be an address such as https://login.example, got "${address}"`,
    );
  return { issuer, audience, ...(jwksUri ? { jwksUri } : {}) };
}

/** The origin as browsers write it: in lower case and without the port that its scheme implies. */
function originOf(text: string): string {
  // What a page that was opened from a file says of itself.
  if (text === "null") return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin;
  throw new Error(`TAGWIRE_ORIGINS must list origins such as https://app.example, got "${text}"`);
}
