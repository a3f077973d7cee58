import type { PostEnding, Sockets } from "../../ports.ts";
import { type HttpPost, type Response, undiciPost } from "./http-post.ts";
import { failedPost } from "./post-ending.ts";
import { percentEncode, postSigner } from "./sign-post.ts";
import type { Identity } from "./signature.ts";

export interface LeanSocketsOptions {
  /** The callback address of the WebSocket API, with its stage. */
  readonly endpoint: string;
  /** Both as a client of the SDK resolves them; `credentials` keeps them and renews them before they expire. */
  readonly region: () => Promise<string>;
  readonly credentials: (options?: { forceRefresh?: boolean }) => Promise<Identity>;
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
  const { endpoint, region, credentials, now } = options;
  const { host, pathname } = new URL(endpoint);
  const prefix = `${pathname
    .split("/")
    .filter(Boolean)
    .map((part) => `/${part}`)
    .join("")}/@connections/`;
  const http: HttpPost = undiciPost(options);
  let session: Session | undefined;
  /** Milliseconds that the gateway's clock is ahead of ours. */
  let skew = 0;

  const renew = async (force = false): Promise<Session> => {
    const sign = session?.sign ?? postSigner(host, await region());
    const identity = await credentials(force ? { forceRefresh: true } : {});
    session = { sign, identity, until: now() + SESSION };
    return session;
  };

  const attempt = async (path: string, body: Uint8Array): Promise<Attempt> => {
    const { sign, identity } = session && now() < session.until ? session : await renew();
    const signedAt = now() + skew;
    const headers = sign({ path, body, identity, now: signedAt });
    return { signedAt, identity, response: await http.post(path, headers, body) };
  };

  /** Whether something was wrong with a refused request that another one will do better. */
  const mended = async ({ response, signedAt, identity }: Attempt): Promise<boolean> => {
    const serverTime = Date.parse(response.date ?? "");
    if (Math.abs(serverTime - signedAt) >= TOLERATED_SKEW) {
      skew = serverTime - now();
      return true;
    }
    if (!response.errorType?.startsWith("ExpiredToken")) return false;
    const current = await renew();
    return isOther(current.identity, identity) || isOther((await renew(true)).identity, identity);
  };

  return {
    async post(id, frame) {
      try {
        const path = prefix + percentEncode(id);
        const first = await attempt(path, frame);
        const again = first.response.status === 403 && (await mended(first));
        return endingOf((again ? await attempt(path, frame) : first).response);
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

/** What posts share for a moment, so that only one of many asks for credentials. */
interface Session {
  readonly sign: ReturnType<typeof postSigner>;
  readonly identity: Identity;
  readonly until: number;
}

/** Milliseconds. Credentials are renewed minutes before they expire, so a second more does no harm. */
const SESSION = 1_000;

interface Attempt {
  readonly response: Response;
  readonly identity: Identity;
  /** By the gateway's clock, as far as we knew it. */
  readonly signedAt: number;
}

/** The gateway refuses a signature that is five minutes off; the SDK takes four for wrong, and so do we. */
const TOLERATED_SKEW = 240_000;

const isOther = (a: Identity, b: Identity): boolean =>
  a.accessKeyId !== b.accessKeyId || a.sessionToken !== b.sessionToken;

const endingOf = ({ status, errorType, detail }: Response): PostEnding =>
  status < 300
    ? { kind: "sent" }
    : failedPost(status, `${status}: ${detail || errorType || "no reason given"}`);
