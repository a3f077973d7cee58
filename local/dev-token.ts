import { SignJWT } from "jose";
import { GRANT_CLAIM } from "../shared/protocol/grant.ts";

/** A token that may do everything, with its grant under `claim`, good for a day from `now` (milliseconds). */
export function devToken(secret: string, now: number, claim = GRANT_CLAIM): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT({ [claim]: { subscribe: ["*"], publish: ["*"], admin: true } })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("dev")
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 86_400)
    .sign(new TextEncoder().encode(secret));
}
