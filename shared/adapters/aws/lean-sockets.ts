import type { PostEnding, Sockets } from "../../ports.ts";
import { type HttpPost, type Response, undiciPost } from "./http-post.ts";
import { failedPost } from "./post-ending.ts";
import { type Identity, percentEncode, postSigner } from "./sign-post.ts";

export interface LeanSocketsOptions {
  /** The callback address of the WebSocket API, with its stage. */
  readonly endpoint: string;
  /** Both as a client of the SDK resolves them; `credentials` keeps them and renews them before they expire. */
  readonly region: () => Promise<string>;
  readonly credentials: (options?: { forceRefresh: boolean }) => Promise<Identity>;
  /** Milliseconds a post waits for an answer, once it has a connection. */
  readonly timeout: number;
  /** HTTP connections at most. */
  readonly connections: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Sockets behind the API Gateway management API, without the SDK's middleware, which costs more than all the
 * rest of a post.
 */
export function leanSockets(options: LeanSocketsOptions): Sockets & { destroy(): Promise<void> } {
  const { endpoint, credentials, now } = options;
  const { host, pathname } = new URL(endpoint);
  const prefix = `${pathname
    .split("/")
    .filter(Boolean)
    .map((part) => `/${part}`)
    .join("")}/@connections/`;
  const http: HttpPost = undiciPost(options);
  let signer: ReturnType<typeof postSigner> | undefined;
  /** Milliseconds that the gateway's clock is ahead of ours. */
  let skew = 0;

  const attempt = async (path: string, body: Uint8Array): Promise<Attempt> => {
    const identity = await credentials();
    signer ??= postSigner(host, await options.region());
    const signedAt = now() + skew;
    const headers = signer({ path, body, identity, now: signedAt });
    return { signedAt, identity, ...(await http.post(path, headers, body)) };
  };

  /** Whether something was wrong with a refused request that another one will do better. */
  const mended = async ({ errorType, date, signedAt, identity }: Attempt): Promise<boolean> => {
    const serverTime = Date.parse(date ?? "");
    if (Math.abs(serverTime - signedAt) >= TOLERATED_SKEW) {
      skew = serverTime - now();
      return true;
    }
    if (!errorType?.startsWith("ExpiredToken")) return false;
    const current = await credentials();
    const renewed = isOther(current, identity) ? current : await credentials({ forceRefresh: true });
    return isOther(renewed, identity);
  };

  return {
    async post(id, frame) {
      try {
        const path = prefix + percentEncode(id);
        const first = await attempt(path, frame);
        return endingOf(first.status === 403 && (await mended(first)) ? await attempt(path, frame) : first);
      } catch (fault) {
        return failedPost(
          undefined,
          fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault),
        );
      }
    },
    destroy: () => http.destroy(),
  };
}

interface Attempt extends Response {
  /** By the gateway's clock, as far as we knew it. */
  readonly signedAt: number;
  readonly identity: Identity;
}

/** The gateway refuses a signature that is five minutes off; the SDK takes four for wrong, and so do we. */
const TOLERATED_SKEW = 240_000;

const isOther = (a: Identity, b: Identity): boolean =>
  a.accessKeyId !== b.accessKeyId || a.sessionToken !== b.sessionToken;

const endingOf = ({ status, errorType, detail }: Response): PostEnding =>
  status < 300
    ? { kind: "sent" }
    : failedPost(status, `${status}: ${detail || errorType || "no reason given"}`);
