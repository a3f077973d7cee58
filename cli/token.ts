import type { Command } from "commander";
import { RouterError } from "../server/errors.ts";
import { mintToken } from "../server/mint-token.ts";
import { GRANT_CLAIM } from "../shared/protocol/grant.ts";
import { DEV_SECRET } from "../shared/settings/dev-secret.ts";
import { Failure, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { between, collect, filled } from "./option.ts";

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
    .option("--claim <name>", "the claim that holds the grant, instead of TAGWIRE_CLAIM", filled)
    .option("--ttl <seconds>", "how long it holds", between(1, 999_999_999), DAY_SECONDS)
    .action(async ({ ttl, ...claims }, command: Command) => {
      const token = await mint(io, { ...claims, ttlSeconds: ttl });
      io.stdout.write(`${command.optsWithGlobals().json ? JSON.stringify({ token }) : token}\n`);
    });
}

/** Signs a token. An empty secret is refused: to sign with the public one instead would only hide the mistake. */
export async function mint({ env, now }: Pick<Io, "env" | "now">, claims: Claims): Promise<string> {
  const { user, tag: tags = [], subscribe = [], publish = [], admin = false } = claims;
  const { ttlSeconds = DAY_SECONDS, claim = env.TAGWIRE_CLAIM || GRANT_CLAIM } = claims;
  const secret = env.TAGWIRE_SECRET ?? DEV_SECRET;
  if (secret === "") {
    throw new Failure(
      "TAGWIRE_SECRET is empty: set it to the router's secret, or unset it for a local router",
    );
  }
  const issuedAt = new Date(now());
  try {
    return await mintToken({ user, tags, subscribe, publish, admin, ttlSeconds, claim, issuedAt, secret });
  } catch (fault) {
    if (!(fault instanceof RouterError)) throw fault;
    if (fault.code === "SECRET_INVALID") throw new Failure(`TAGWIRE_SECRET: ${fault.message}`);
    throw new UsageError(fault.message);
  }
}

/** The token to call the router with: the user's own, or one that may do everything, if the secret is right. */
export async function callerToken(io: Pick<Io, "env" | "now">, user = "dev"): Promise<string> {
  if (!io.env.TAGWIRE_TOKEN) return mint(io, { user, subscribe: ["*"], publish: ["*"], admin: true });
  const token = io.env.TAGWIRE_TOKEN.trim();
  if (/^[\w.-]+$/.test(token)) return token;
  throw new UsageError("--token or TAGWIRE_TOKEN is no token: it has a space or a sign that no token has");
}
