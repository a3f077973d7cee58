import type { SendResult, Sockets } from "../../ports.ts";
import { type Response, undiciPost } from "./http-post.ts";
import { failedSend, gatewayState, PROBED } from "./send-result.ts";
import { type Credentials, session } from "./session.ts";
import { percentEncode } from "./sign-post.ts";
import type { Identity } from "./signature.ts";

export interface LeanSocketsOptions {
  /** The callback address of the WebSocket API, with its stage. */
  readonly endpoint: string;
  readonly region: () => Promise<string>;
  readonly credentials: Credentials;
  /** Milliseconds a post waits for an answer, once it has a connection. It may take a second longer. */
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
  const { origin, host, pathname } = new URL(endpoint);
  const stage = pathname
    .split("/")
    .filter(Boolean)
    .map((part) => `/${part}`)
    .join("");
  const http = undiciPost({ ...options, origin: async () => origin });
  const { pen, renewed } = session({
    host: async () => host,
    region,
    service: "execute-api",
    type: "application/octet-stream",
    credentials,
    now,
  });
  /** Milliseconds that the gateway's clock is ahead of ours. */
  let skew = 0;

  const attempt = async (path: string, body: Uint8Array): Promise<Attempt> => {
    const ready = pen();
    const { sign, identity } = ready instanceof Promise ? await ready : ready;
    const signedAt = now() + skew;
    const response = await http.outcome(path, sign({ path, body, now: signedAt }), body);
    return { signedAt, identity, response };
  };

  /** Whether something was wrong with a refused request that another one will do better. */
  const mended = async ({ response, signedAt, identity }: Attempt): Promise<boolean> => {
    const serverTime = Date.parse(response.date ?? "");
    if (Math.abs(serverTime - signedAt) >= TOLERATED_SKEW) {
      skew = serverTime - now();
      return true;
    }
    return response.errorType?.startsWith("ExpiredToken") === true && renewed(identity);
  };

  return {
    async send(id, frame) {
      try {
        const path = `${stage}/@connections/${percentEncode(id)}`;
        const first = await attempt(path, frame);
        const again = first.response.status === 403 && (await mended(first));
        return endingOf((again ? await attempt(path, frame) : first).response);
      } catch (fault) {
        const reason = fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault);
        return failedSend(undefined, reason);
      }
    },
    /** Sends nothing to nobody: this path can only POST. */
    async probe() {
      const path = `${stage}/@connections/${PROBED}`;
      const asked = attempt(path, new Uint8Array()).then(({ response }) => response.status);
      return gatewayState(await asked.catch(() => undefined));
    },
    destroy: () => http.destroy(),
  };
}

interface Attempt {
  readonly response: Response;
  readonly identity: Identity;
  /** By the gateway's clock, as far as we knew it. */
  readonly signedAt: number;
}

/** The gateway refuses a signature that is five minutes off; the SDK takes four for wrong, and so do we. */
const TOLERATED_SKEW = 240_000;

const endingOf = ({ status, errorType, detail }: Response): SendResult =>
  status < 300
    ? { kind: "sent" }
    : failedSend(status, `${status}: ${detail || errorType || "no reason given"}`);
