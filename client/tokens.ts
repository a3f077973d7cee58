import { ClientError, textOf } from "./error.ts";
import type { Runtime } from "./runtime.ts";

/** Returns a token, or null if nobody is signed in. */
export type TokenSource = () => string | null | Promise<string | null>;

/** How long `token` may take, in milliseconds. */
const LIMIT = 30_000;

/** A fresh token of the app. Rejects with a ClientError if it fails or takes too long. */
export function freshToken(runtime: Runtime, source: TokenSource): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new ClientError("TOKEN_UNAVAILABLE", `token failed: ${textOf(cause)}`, { cause }));
    const stop = runtime.after(LIMIT, () => fail(`no token within ${LIMIT / 1000} s`));
    // In a promise, so that one that throws at once fails in the same way.
    new Promise<string | null>((take) => take(source())).then(
      (token) => {
        stop();
        if (token === null || typeof token === "string") resolve(token);
        else
          fail(
            new TypeError(
              `token returned ${typeof token}: it must be a string, or null if nobody is signed in`,
            ),
          );
      },
      (cause) => {
        stop();
        fail(cause);
      },
    );
  });
}

/**
 * How long a token holds from now, in milliseconds; undefined if it does not say. The clock of a page may be wrong: what
 * it makes of `exp` counts only if it is possible.
 */
export function lifeOf(token: string, now: number): number | undefined {
  try {
    const payload = token.split(".")[1] ?? "";
    const { iat, exp } = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/")));
    if (typeof exp !== "number") return undefined;
    const left = exp * 1000 - now;
    const whole = typeof iat === "number" ? (exp - iat) * 1000 : left;
    const life = left > 0 && left <= whole ? left : whole;
    return life > 0 ? life : undefined;
  } catch {
    return undefined;
  }
}
