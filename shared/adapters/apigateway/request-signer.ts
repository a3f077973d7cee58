import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { AwsCredentialIdentity, Checksum, Provider, SourceData } from "@smithy/types";
import type { HttpRequest } from "./http-client.ts";

export interface RequestSignerOptions {
  /** Of the service, as in `https://id.execute-api.region.amazonaws.com`. */
  readonly origin: string;
  readonly region: Provider<string>;
  /** As in a credential scope. */
  readonly service: string;
}

export interface RequestToSign extends Omit<HttpRequest, "headers"> {
  readonly identity: AwsCredentialIdentity;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Signs requests to one origin by AWS Signature Version 4, with the signer of the SDK. */
export function requestSigner({ origin, region, service }: RequestSignerOptions) {
  const { protocol, hostname, host } = new URL(origin);

  /** A frame goes to many connections, and its bytes do not change. */
  const hashes = new WeakMap<Uint8Array, string>();
  const hashOf = (body: Uint8Array): string => {
    const hash = hashes.get(body) ?? createHash("sha256").update(body).digest("hex");
    hashes.set(body, hash);
    return hash;
  };

  return async ({ method, path, body, identity, at }: RequestToSign): Promise<HttpRequest> => {
    const signer = new SignatureV4({ service, region, credentials: identity, sha256: Sha256 });
    const headers = {
      host,
      // The signer takes the hash from here.
      ...(body ? { "content-type": "application/octet-stream", "x-amz-content-sha256": hashOf(body) } : {}),
    };
    const signed = await signer.sign(
      { protocol, hostname, method, path, body, headers },
      { signingDate: new Date(at) },
    );
    return { method, path, headers: signed.headers, ...(body ? { body } : {}) };
  };
}

/** SHA-256, or its HMAC if there is a secret, in the interface that the signer asks for. */
class Sha256 implements Checksum {
  readonly #hash: Hash | Hmac;

  constructor(secret?: SourceData) {
    this.#hash =
      secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string | Buffer);
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("a hash is made for each value");
  }
}
