import { createHash } from "node:crypto";
import aws4 from "aws4";
import type { Caller } from "./caller.ts";
import type { Refusal } from "./refusal.ts";
import type { CallRequest } from "./service.ts";

export interface SignatureOptions {
  readonly callers: readonly Caller[];
  /** As in a credential scope. */
  readonly service: string;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export type Signature =
  | { readonly kind: "valid"; readonly caller: Caller }
  | { readonly kind: "invalid"; readonly refusal: Refusal };

/** AWS takes a request whose date is at most this far from its own clock (Signature Version 4), in milliseconds. */
const CLOCK_SKEW = 5 * 60_000;

const HEADER =
  /^AWS4-HMAC-SHA256 Credential=([^/\s]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Checks a request's AWS Signature Version 4 as the services do. The signature that it should have is computed by
 * aws4, which shares no code with what signs under test.
 */
export function checkSignature(options: SignatureOptions, request: CallRequest): Signature {
  const { callers, service, region, now } = options;
  const { authorization } = request.headers;
  if (authorization === undefined) {
    return invalid("MissingAuthenticationTokenException", "Request is missing Authentication Token");
  }
  const [, key, date, inRegion, ofService, names = "", signature] = HEADER.exec(String(authorization)) ?? [];
  if (signature === undefined) {
    return invalid("IncompleteSignatureException", `Not a Signature Version 4 header: ${authorization}`);
  }
  const caller = callers.find(({ accessKeyId }) => accessKeyId === key);
  const token = request.headers["x-amz-security-token"];
  if (caller === undefined || caller.sessionToken !== token) {
    return invalid("UnrecognizedClientException", "The security token included in the request is invalid.");
  }
  const signed = names.split(";");
  const amzDate = String(request.headers["x-amz-date"] ?? "");
  const fault =
    scopeFault({ region: inRegion, service: ofService }, { region, service }) ??
    dateFault(amzDate, date, now()) ??
    headersFault(signed, request) ??
    payloadFault(request);
  if (fault !== undefined) return invalid("InvalidSignatureException", fault);
  if (expected(options, caller, signed, request) !== signature) {
    return invalid(
      "InvalidSignatureException",
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
    );
  }
  return { kind: "valid", caller };
}

const invalid = (code: string, message: string): Signature => ({
  kind: "invalid",
  refusal: { code, message },
});

type Scope = Readonly<Record<"region" | "service", string | undefined>>;

const scopeFault = (got: Scope, wanted: Scope) =>
  (["region", "service"] as const)
    .filter((part) => got[part] !== wanted[part])
    .map((part) => `Credential should be scoped to ${wanted[part]}, got the ${part} ${got[part]}.`)[0];

function dateFault(amzDate: string, date: string | undefined, now: number): string | undefined {
  const iso = amzDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const skew = Math.abs(Date.parse(iso) - now);
  if (!(skew <= CLOCK_SKEW)) return `Signature expired or not yet current: ${amzDate}`;
  return amzDate.startsWith(`${date}T`) ? undefined : "Date in Credential scope does not match x-amz-date";
}

/** Names are in lower case and in order; the host and each x-amz- header but the trace must be among them. */
function headersFault(signed: readonly string[], { headers }: CallRequest): string | undefined {
  const inOrder = [...signed].map((name) => name.toLowerCase()).sort();
  if (inOrder.join() !== signed.join()) return `SignedHeaders must be in lower case and sorted: ${signed}`;
  const absent = signed.find((name) => headers[name] === undefined);
  if (absent !== undefined) return `'${absent}' is named in SignedHeaders and not sent`;
  const needed = ["host", ...Object.keys(headers).filter((name) => name.startsWith("x-amz-"))];
  const left = needed.find((name) => !signed.includes(name));
  return left === undefined ? undefined : `'${left}' must be a 'SignedHeader' in the AWS Authorization`;
}

function payloadFault({ headers, body }: CallRequest): string | undefined {
  const declared = headers["x-amz-content-sha256"];
  const actual = createHash("sha256").update(body).digest("hex");
  return declared === undefined || declared === actual ? undefined : "x-amz-content-sha256 is not the body's";
}

/** The signature that the request must have. */
function expected(
  { service, region }: SignatureOptions,
  { accessKeyId, secretAccessKey, sessionToken }: Caller,
  signed: readonly string[],
  { method, path, headers, body }: CallRequest,
): string | undefined {
  const only = Object.fromEntries(signed.map((name) => [name, String(headers[name])]));
  // aws4 adds these two where they are missing; they count only if the caller signed them.
  const unsigned = ["content-type", "content-length"].filter((name) => !signed.includes(name));
  const request = {
    ...{ method, path, service, region, headers: only },
    body,
    extraHeadersToInclude: flags(signed),
    extraHeadersToIgnore: flags(unsigned),
  };
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  return /Signature=(.+)$/.exec(String(aws4.sign(request, credentials).headers?.["Authorization"]))?.[1];
}

const flags = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, true] as const));
