import { createHmac, hash, type KeyObject } from "node:crypto";
import { ALGORITHM, type Identity, sameIdentity, signingKey, timestamp } from "./signature.ts";

export interface PostToSign {
  /** As it is sent: percent-encoded, with the stage, without a query. */
  readonly path: string;
  /** Must not be changed afterwards: its hash is kept. */
  readonly body: Uint8Array;
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The headers to send, name and value in turn. `host` and `content-length` are the client's to add. */
export type SignedHeaders = string[];

const TYPE = "application/octet-stream";

/**
 * Signs POSTs to one host by AWS Signature Version 4. It does what `@smithy/signature-v4` does for this one kind
 * of request, and a test compares the two; but it keeps what many requests share: the signing key of a day, the
 * time of a second and the hash of a body that goes to many connections.
 */
export function postSigner(host: string, region: string): (post: PostToSign) => SignedHeaders {
  const hashes = new WeakMap<Uint8Array, string>();
  let shared: Shared | undefined;

  return ({ path, body, identity, now }) => {
    const second = Math.floor(now / 1_000);
    if (shared?.second !== second || !sameIdentity(shared.identity, identity)) {
      shared = prepare({ host, region, second, identity, last: shared });
    }
    let bodyHash = hashes.get(body);
    if (bodyHash === undefined) {
      bodyHash = hash("sha256", body);
      hashes.set(body, bodyHash);
    }
    const request = `POST\n${canonicalPath(path)}${shared.canonicalHeaders}${bodyHash}`;
    const signature = createHmac("sha256", shared.day.key)
      .update(shared.stringToSign + hash("sha256", request))
      .digest("hex");
    return [...shared.headers, "authorization", shared.authorization + signature];
  };
}

/** What all requests of one second and identity share. */
interface Shared {
  readonly second: number;
  readonly identity: Identity;
  readonly day: Day;
  readonly headers: readonly string[];
  readonly canonicalHeaders: string;
  readonly stringToSign: string;
  readonly authorization: string;
}

/** A signing key and what it is good for. */
interface Day {
  readonly date: string;
  readonly key: KeyObject;
}

interface Parts extends Pick<Shared, "second" | "identity"> {
  readonly host: string;
  readonly region: string;
  readonly last: Shared | undefined;
}

function prepare({ host, region, second, identity, last }: Parts): Shared {
  const time = timestamp(second * 1_000);
  const date = time.slice(0, 8);
  const day =
    last?.day.date === date && sameIdentity(last.identity, identity)
      ? last.day
      : { date, key: signingKey(identity.secretAccessKey, date, region, SERVICE) };
  const scope = `${date}/${region}/${SERVICE}/aws4_request`;
  const token: [string, string][] = identity.sessionToken
    ? [["x-amz-security-token", identity.sessionToken]]
    : [];
  const headers: [string, string][] = [["content-type", TYPE], ["x-amz-date", time], ...token];
  const signed = [["content-type", TYPE], ["host", host], ["x-amz-date", time], ...token];
  const names = signed.map(([name]) => name).join(";");
  return {
    second,
    identity,
    day,
    headers: headers.flat(),
    canonicalHeaders: `\n\n${signed.map(([name, value]) => `${name}:${value}\n`).join("")}\n${names}\n`,
    stringToSign: `${ALGORITHM}\n${time}\n${scope}\n`,
    authorization: `${ALGORITHM} Credential=${identity.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=`,
  };
}

const SERVICE = "execute-api";

/** Every service but S3 signs the path encoded once more. */
const canonicalPath = (path: string): string => path.replace(RESERVED, hex);

/** encodeURIComponent leaves !'()* alone; RFC 3986 and AWS do not. */
export const percentEncode = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, hex);

const RESERVED = /[^A-Za-z0-9/_.~-]/g;
const hex = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
