import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

/* What all our signers share of AWS Signature Version 4. */

export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export const ALGORITHM = "AWS4-HMAC-SHA256";

export const sameIdentity = (a: Identity, b: Identity): boolean =>
  a.accessKeyId === b.accessKeyId &&
  a.secretAccessKey === b.secretAccessKey &&
  a.sessionToken === b.sessionToken;

/** 20260131T235959Z, of milliseconds since 1970. Its first eight digits are the day of the key. */
export const timestamp = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

/** The key of a day, a region and a service. */
export const signingKey = (
  secret: string,
  ...scope: [date: string, region: string, service: string]
): KeyObject =>
  createSecretKey(
    [...scope, "aws4_request"].reduce<Buffer>(
      (key, part) => createHmac("sha256", key).update(part).digest(),
      Buffer.from(`AWS4${secret}`),
    ),
  );
