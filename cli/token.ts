import type { Command } from "commander";
import { SignJWT } from "jose";
import { GRANT_CLAIM, identityOf } from "../shared/protocol/grant.ts";
import { DEV_SECRET } from "../shared/settings/dev-secret.ts";
import { Failure, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { collect, wholeNumber } from "./option.ts";

/** What a token is to say. `ttlSeconds` is how long it holds. */
export interface Claims {
  readonly user: string;
  readonly tag?: readonly string[];
  readonly subscribe?: readonly string[];
  readonly publish?: readonly string[];
  readonly admin?: boolean;
  readonly ttlSeconds?: number;
  /** Where the grant stands. @default TAGWIRE_CLAIM, or `tagwire` */
  readonly claim?: string;
}

const DAY_SECONDS = 86_400;

/** HS256 wants a key as long as its hash (RFC 7518 §3.2). */
const SECRET_BYTES = 32;

/** `tagwire token`: prints a token signed with TAGWIRE_SECRET. */
export function tokenVerb(program: Command, io: Io): void {
  program
    .command("token")
    .description("print a token signed with TAGWIRE_SECRET; it grants only what the options say")
    .requiredOption("--user <user>", "whom it speaks for (sub)")
    .option("--tag <name:value>", "a tag that its connections carry; repeat for more", collect)
    .option("--subscribe <pattern>", "topics it may subscribe to: orders, orders/* or *", collect)
    .option("--publish <pattern>", "targets it may publish to: topic:orders, user:* or *", collect)
    .option("--admin", "it may read and cancel the messages of every producer, and disconnect users")
    .option("--claim <name>", "the claim that holds the grant, instead of TAGWIRE_CLAIM")
    .option("--ttl <seconds>", "how long it holds", wholeNumber, DAY_SECONDS)
    .action(async ({ ttl, ...claims }, command: Command) => {
      const token = await mint(io, { ...claims, ttlSeconds: ttl });
      io.stdout.write(`${command.optsWithGlobals().json ? JSON.stringify({ token }) : token}\n`);
    });
}

/** Signs a token. */
export async function mint(io: Pick<Io, "env" | "now">, claims: Claims): Promise<string> {
  const { user, tag: tags = [], subscribe = [], publish = [], admin = false } = claims;
  const now = Math.floor(io.now() / 1000);
  const exp = now + (claims.ttlSeconds ?? DAY_SECONDS);
  const claim = claims.claim ?? (io.env.TAGWIRE_CLAIM || GRANT_CLAIM);
  const payload = { sub: user, exp, [claim]: { tags, subscribe, publish, admin } };
  const identity = identityOf(payload, claim);
  if (!identity.ok) throw new UsageError(`the token would be refused: ${identity.refusal.detail}`);
  const key = keyOf(io.env.TAGWIRE_SECRET);
  return new SignJWT(payload).setProtectedHeader({ alg: "HS256", typ: "JWT" }).setIssuedAt(now).sign(key);
}

/** Throws a Failure for an empty secret too: to sign with the public one instead would only hide the mistake. */
function keyOf(secret = DEV_SECRET): Uint8Array {
  if (secret === "") {
    throw new Failure(
      "TAGWIRE_SECRET is empty: set it to the router's secret, or unset it for a local router",
    );
  }
  const key = new TextEncoder().encode(secret);
  if (key.length >= SECRET_BYTES) return key;
  throw new Failure(`TAGWIRE_SECRET must have at least ${SECRET_BYTES} bytes, got ${key.length}`);
}

/** The token to call the router with: the user's own, or one that may do everything, if the secret is right. */
export async function callerToken(io: Pick<Io, "env" | "now">, user = "dev"): Promise<string> {
  return io.env.TAGWIRE_TOKEN || (await mint(io, { user, subscribe: ["*"], publish: ["*"], admin: true }));
}
