import { issuerTokens, secretTokens, type TokenSource } from "../shared/adapters/jose/tokens.ts";
import type { Tokens } from "../shared/ports.ts";
import type { World } from "./world.ts";

/** What checks tokens, by the function's variable TOKENS. */
export function tokensOf(world: World, text: string): Tokens {
  const source = JSON.parse(text) as TokenSource;
  return "secretId" in source
    ? secretTokens(() => world.readSecret(source.secretId), world.clock)
    : issuerTokens(source, world.clock);
}
