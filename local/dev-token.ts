import { mintToken } from "../server/mint-token.ts";
import { GRANT_CLAIM } from "../shared/protocol/grant.ts";

/** A token that may do everything, with its grant under `claim`, good for a day from `now` (milliseconds). */
export const devToken = (secret: string, now: number, claim = GRANT_CLAIM): Promise<string> =>
  mintToken({
    user: "dev",
    subscribe: ["*"],
    publish: ["*"],
    admin: true,
    ttlSeconds: 86_400,
    issuedAt: new Date(now),
    claim,
    secret,
  });
