import { SignJWT } from "jose";

/** Signs the tokens of a laptop. Never use it where anyone else can connect. */
export const DEV_SECRET = "tagwire-dev-secret-for-laptops-only!";

/** A token that may do everything but read others' receipts, good for a day from `now` (milliseconds). */
export function devToken(secret: string, now: number): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT({ subscribe: ["*"], publish: ["*"] })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("dev")
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 86_400)
    .sign(new TextEncoder().encode(secret));
}
