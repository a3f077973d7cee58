import { type Issuer, issuerTokens } from "../../shared/adapters/jwt/issuer-tokens.ts";
import { secretTokens } from "../../shared/adapters/jwt/secret-tokens.ts";
import type { Tokens } from "../../shared/ports.ts";
import type { Runtime } from "./runtime.ts";

/** Whose tokens are trusted: the variable TOKENS, as JSON. */
type TokenSource = ({ readonly secretId: string } | Issuer) & {
  /** The claim that holds the grant, if it is not `tagwire`. */
  readonly claim?: string;
};

/** What checks tokens, by the function's variable TOKENS. */
export function tokensOf(runtime: Runtime, text: string): Tokens {
  const source = JSON.parse(text) as TokenSource;
  return "secretId" in source
    ? secretTokens((stage) => runtime.readSecret(source.secretId, stage), runtime.clock, source.claim)
    : issuerTokens(source, runtime.clock, source.claim);
}
