import type { Tokens } from "../../shared/ports.ts";
import { accept, refuse } from "../../shared/protocol/errors.ts";
import type { Identity } from "../../shared/protocol/grant.ts";

export interface MemoryTokens extends Tokens {
  /** Makes a token of an identity. */
  sign(identity: Identity): string;
}

/** Tokens that are known by heart: each is the number of its identity. None of them expires. */
export function memoryTokens(): MemoryTokens {
  const identities: Identity[] = [];
  return {
    sign: (identity) => `token-${identities.push(identity) - 1}`,
    async verify(token) {
      const identity = identities[Number(token.slice("token-".length))];
      return identity ? accept(identity) : refuse("TOKEN_INVALID", "the token is not known");
    },
  };
}
