import type { AwsCredentialIdentity } from "@smithy/types";
import type { CloseResult, SendResult, Sockets } from "../../ports.ts";
import { type HttpOutcome, type HttpRequest, httpClient } from "./http-client.ts";
import { requestSigner } from "./request-signer.ts";
import { failedClose, failedSend, gatewayState, PROBED } from "./send-result.ts";

export interface SignedSocketsOptions {
  /** The callback address of the WebSocket API, with its stage. */
  readonly endpoint: string;
  readonly region: () => Promise<string>;
  /** As a client of the SDK resolves them: kept, and renewed before they expire. */
  readonly credentials: (options?: { forceRefresh?: boolean }) => Promise<AwsCredentialIdentity>;
  /** Milliseconds from a request to the end of its answer. */
  readonly timeout: number;
  /** HTTP connections at most. */
  readonly connections: number;
  /** Milliseconds an unused connection is kept at most. */
  readonly keepAlive?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Sockets behind the API Gateway management API: its three requests, signed by the SDK's signer and sent by Node's
 * HTTP client. The middleware of the SDK's client costs several times as much as all the rest of a send.
 */
export function signedSockets(options: SignedSocketsOptions): Sockets & { destroy(): void } {
  const { endpoint, region, credentials, now } = options;
  const { origin, pathname } = new URL(endpoint);
  const connections = `${pathname.replace(/\/+$/, "")}/@connections/`;
  const http = httpClient({ ...options, origin });
  const signed = requestSigner({ origin, region, service: "execute-api" });
  /** Milliseconds that the gateway's clock is ahead of ours. */
  let skew = 0;

  const attempt = async (id: string, { method, body }: Call): Promise<Attempt> => {
    const identity = await credentials();
    const at = now() + skew;
    const what = { method, path: connections + percentEncode(id), ...(body ? { body } : {}) };
    return { identity, at, outcome: await http.request(await signed({ ...what, identity, at })) };
  };

  /** Whether something was wrong with a refused request that another one will do better. */
  const mended = async ({ outcome, at, identity }: Attempt): Promise<boolean> => {
    const serverTime = Date.parse(outcome.date ?? "");
    if (Math.abs(serverTime - at) >= TOLERATED_SKEW) {
      skew = serverTime - now();
      return true;
    }
    if (!outcome.errorType?.startsWith("ExpiredToken")) return false;
    return (
      !isSame(await credentials(), identity) || !isSame(await credentials({ forceRefresh: true }), identity)
    );
  };

  const request = async (id: string, call: Call): Promise<HttpOutcome> => {
    const first = await attempt(id, call);
    const again = first.outcome.status === 403 && (await mended(first));
    return again ? (await attempt(id, call)).outcome : first.outcome;
  };

  return {
    send: (id, frame) =>
      request(id, { method: "POST", body: frame }).then(resultOf, (fault: unknown) =>
        failedSend(undefined, String(fault)),
      ),
    close: (id) =>
      request(id, { method: "DELETE" }).then(closeResultOf, (fault: unknown) =>
        failedClose(undefined, String(fault)),
      ),
    probe: () =>
      request(PROBED, { method: "GET" }).then(
        ({ status }) => gatewayState(status),
        () => gatewayState(undefined),
      ),
    destroy: () => http.destroy(),
  };
}

type Call = Pick<HttpRequest, "method" | "body">;

interface Attempt {
  readonly outcome: HttpOutcome;
  readonly identity: AwsCredentialIdentity;
  /** When it was signed by the gateway's clock, as far as we knew it. */
  readonly at: number;
}

/** The gateway refuses a signature that is five minutes off; the SDK takes four for wrong, and so do we. */
const TOLERATED_SKEW = 240_000;

const isSame = (a: AwsCredentialIdentity, b: AwsCredentialIdentity): boolean =>
  a.accessKeyId === b.accessKeyId && a.sessionToken === b.sessionToken;

const reasonOf = ({ status, errorType, detail }: HttpOutcome): string =>
  `${status}: ${detail || errorType || "no reason given"}`;

const resultOf = (outcome: HttpOutcome): SendResult =>
  outcome.status < 300 ? { kind: "sent" } : failedSend(outcome.status, reasonOf(outcome));

const closeResultOf = (outcome: HttpOutcome): CloseResult =>
  outcome.status < 300 ? { kind: "closed" } : failedClose(outcome.status, reasonOf(outcome));

/** encodeURIComponent leaves !'()* alone; RFC 3986 and AWS do not. */
const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
