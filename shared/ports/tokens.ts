import type { Result } from "../protocol/errors.ts";
import type { Identity } from "../protocol/grant.ts";

export interface Tokens {
  /** Returns the identity in a valid token, or the refusal of an invalid one. */
  verify(token: string): Promise<Result<Identity>>;
}
