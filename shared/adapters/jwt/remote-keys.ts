import type { JWTVerifyGetKey } from "jose";
import { createLocalJWKSet } from "jose/jwks/local";
import { createRemoteJWKSet, customFetch } from "jose/jwks/remote";

/** Milliseconds to wait for an issuer. */
const TIMEOUT = 3_000;

/** Fetches the keys at an address, once. Loaded only where an issuer is trusted. */
export async function remoteKeys(address: string): Promise<JWTVerifyGetKey> {
  const remote = createRemoteJWKSet(new URL(address), {
    timeoutDuration: TIMEOUT,
    [customFetch]: async (url, options) => {
      const response = await fetch(url, options);
      return response.status === 200 ? withoutStrays(response) : response;
    },
  });
  await remote.reload();
  const set = remote.jwks();
  if (!set) throw new Error("the issuer's keys were not read");
  return createLocalJWKSet(set);
}

/**
 * A member that is no key must not make the whole set bad (RFC 7517 §5: what is not understood is ignored). What is no
 * set stays as it is, for jose to say so.
 */
async function withoutStrays(response: Response): Promise<Response> {
  const text = await response.text();
  try {
    const { keys } = JSON.parse(text) as { readonly keys: readonly unknown[] };
    return Response.json({
      keys: keys.filter((key) => typeof key === "object" && key !== null && "kty" in key),
    });
  } catch {
    return new Response(text);
  }
}
