import { createHash } from "node:crypto";
import { sign } from "aws4";
import { type Respond, refuse } from "./gateway.ts";

export interface Secrets {
  readonly region: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/**
 * Answers requests whose AWS Signature Version 4 is the one that aws4 computes, which shares no code with the signers
 * under test, and refuses all others with 403.
 */
export const verified =
  (secrets: Secrets, answer: Respond): Respond =>
  (response, socket, request) => {
    if (isSigned(request, secrets)) answer(response, socket, request);
    else
      refuse(response, 403, { type: "InvalidSignatureException", message: "the signature does not match" });
  };

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$/;

/** Names of services in a credential scope, by the start of the x-amz-target header. */
const SERVICES: Readonly<Record<string, string>> = {
  "": "execute-api",
  AmazonSQS: "sqs",
  DynamoDB_20120810: "dynamodb",
  secretsmanager: "secretsmanager",
};

function isSigned({ method, path, headers, body }: Parameters<Respond>[2], secrets: Secrets): boolean {
  const [authorization = "", accessKeyId = "", day = "", region = "", service = "", names = ""] =
    AUTHORIZATION.exec(headers.authorization ?? "") ?? [];
  const signed = names.split(";");
  const due = Object.keys(headers).filter((name) => name === "host" || name.startsWith("x-amz-"));
  if (authorization === "" || !due.every((name) => signed.includes(name))) return false;
  if (headers["x-amz-security-token"] !== secrets.sessionToken) return false;
  const [target = ""] = String(headers["x-amz-target"] ?? "").split(".");
  if (region !== secrets.region || service !== SERVICES[target]) return false;
  if (!String(headers["x-amz-date"]).startsWith(`${day}T`)) return false;
  const only = Object.fromEntries(signed.map((name) => [name, String(headers[name])]));
  const actual = createHash("sha256").update(body).digest("hex");
  if ((headers["x-amz-content-sha256"] ?? actual) !== actual) return false;
  const request = {
    ...{ method, path, service, region, body, headers: only },
    extraHeadersToInclude: Object.fromEntries(signed.map((name) => [name, true] as const)),
    // aws4 adds these where they are missing; they count only if the caller signed them.
    extraHeadersToIgnore: Object.fromEntries(
      ["content-type", "content-length"]
        .filter((name) => !signed.includes(name))
        .map((name) => [name, true] as const),
    ),
  };
  const expected = sign(request, { accessKeyId, ...secrets }).headers?.["Authorization"];
  return expected === authorization;
}
