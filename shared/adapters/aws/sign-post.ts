import { createHmac, hash, type KeyObject } from "node:crypto";
import { ALGORITHM, type Identity, sameIdentity, signingKey, timestamp } from "./signature.ts";

export interface PostToSign {
  /** As it is sent: percent-encoded, without a query. */
  readonly path: string;
  /** Bytes must not be changed afterwards: the hash of many is kept. */
  readonly body: Uint8Array | string;
  /** The operation of a JSON service. */
  readonly target?: string;
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The headers to send, name and value in turn. `host` and `content-length` are the client's to add. */
export type SignedHeaders = string[];

export interface PostSignerOptions {
  readonly host: string;
  readonly region: string;
  /** As in a credential scope. */
  readonly service: string;
  /** The content type of all bodies. */
  readonly type: string;
}

/**
 * Signs POSTs to one host by AWS Signature Version 4. It does what `@smithy/signature-v4` does for this one kind
 * of request, and a test compares the two; but it keeps what many requests share: the signing key of a day, the
 * time of a second and the hash of a body that goes to many connections.
 */
export function postSigner(options: PostSignerOptions): (post: PostToSign) => SignedHeaders {
  const hashOf = rememberedHash();
  let shared: Shared | undefined;

  return ({ path, body, target, identity, now }) => {
    const second = Math.floor(now / 1_000);
    if (shared?.second !== second || !sameIdentity(shared.identity, identity)) {
      shared = prepare(options, { second, identity, last: shared });
    }
    const { day, headers, canonicalHeaders, names, stringToSign, credential } = shared;
    // It comes last in the order of names that a signature wants.
    const [value, name] = target === undefined ? ["", ""] : [`x-amz-target:${target}\n`, ";x-amz-target"];
    const request = `POST\n${canonicalPath(path)}\n\n${canonicalHeaders}${value}\n${names}${name}\n${hashOf(body)}`;
    const signature = createHmac("sha256", day.key)
      .update(stringToSign + hash("sha256", request))
      .digest("hex");
    const authorization = `${credential}, SignedHeaders=${names}${name}, Signature=${signature}`;
    return target === undefined
      ? [...headers, "authorization", authorization]
      : [...headers, "x-amz-target", target, "authorization", authorization];
  };
}

/** Bytes from which hashing a body anew costs more than finding its hash. */
const WORTH_KEEPING = 2_048;

function rememberedHash(): (body: Uint8Array | string) => string {
  const hashes = new WeakMap<Uint8Array, string>();
  return (body) => {
    if (typeof body === "string" || body.length < WORTH_KEEPING) return hash("sha256", body);
    const known = hashes.get(body) ?? hash("sha256", body);
    hashes.set(body, known);
    return known;
  };
}

/** What all requests of one second and identity share. */
interface Shared {
  readonly second: number;
  readonly identity: Identity;
  readonly day: Day;
  readonly headers: readonly string[];
  readonly canonicalHeaders: string;
  /** Of the headers that are signed. */
  readonly names: string;
  readonly stringToSign: string;
  readonly credential: string;
}

/** A signing key and what it is good for. */
interface Day {
  readonly date: string;
  readonly key: KeyObject;
}

type Moment = Pick<Shared, "second" | "identity"> & { readonly last: Shared | undefined };

function prepare(
  { host, region, service, type }: PostSignerOptions,
  { second, identity, last }: Moment,
): Shared {
  const time = timestamp(second * 1_000);
  const date = time.slice(0, 8);
  const day =
    last?.day.date === date && sameIdentity(last.identity, identity)
      ? last.day
      : { date, key: signingKey(identity.secretAccessKey, date, region, service) };
  const scope = `${date}/${region}/${service}/aws4_request`;
  const dated: [string, string][] = [["x-amz-date", time]];
  if (identity.sessionToken) dated.push(["x-amz-security-token", identity.sessionToken]);
  const signed = [["content-type", type], ["host", host], ...dated];
  return {
    second,
    identity,
    day,
    headers: ["content-type", type, ...dated.flat()],
    canonicalHeaders: signed.map(([name, value]) => `${name}:${value}\n`).join(""),
    names: signed.map(([name]) => name).join(";"),
    stringToSign: `${ALGORITHM}\n${time}\n${scope}\n`,
    credential: `${ALGORITHM} Credential=${identity.accessKeyId}/${scope}`,
  };
}

/** Every service but S3 signs the path encoded once more. */
const canonicalPath = (path: string): string => path.replace(RESERVED, hex);

/** encodeURIComponent leaves !'()* alone; RFC 3986 and AWS do not. */
export const percentEncode = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, hex);

const RESERVED = /[^A-Za-z0-9/_.~-]/g;
const hex = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
