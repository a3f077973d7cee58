import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, test } from "vitest";
import { temporaryCaller } from "../../testing/caller.ts";
import type { CallRequest } from "../../testing/service.ts";
import { checkSignature } from "../../testing/signature.ts";

/** The SDK signs with it too. */
const { sha256 } = new DynamoDBClient({ region: "us-east-1" }).config;

const CALLER = temporaryCaller("ingest");
const NOW = Date.parse("2026-01-31T23:59:30Z");
const OPTIONS = {
  callers: [CALLER, temporaryCaller("other")],
  service: "sqs",
  region: "us-east-1",
  now: () => NOW,
};
const HEADERS = {
  host: "127.0.0.1:4566",
  "content-type": "application/x-amz-json-1.0",
  "x-amz-target": "AmazonSQS.SendMessage",
};

interface Changes {
  readonly at?: number;
  readonly region?: string;
  readonly service?: string;
  readonly path?: string;
  readonly body?: string;
  readonly caller?: typeof CALLER;
}

/** A request that AWS's own signer has signed. */
async function signed(changes: Changes = {}): Promise<CallRequest> {
  const {
    at = NOW,
    region = "us-east-1",
    service = "sqs",
    path = "/",
    body = "{}",
    caller = CALLER,
  } = changes;
  const signer = new SignatureV4({ credentials: caller, region, service, sha256 });
  const request = { method: "POST", protocol: "http:", hostname: "127.0.0.1", path, body, headers: HEADERS };
  const { headers } = await signer.sign(request, { signingDate: new Date(at) });
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { method: "POST", path, headers: Object.fromEntries(lower), body: Buffer.from(body) };
}

test.each([
  { what: "an empty body", changes: { body: "" } },
  { what: "letters beyond ASCII", changes: { body: '{"data":"王 🜂"}' } },
  { what: "a path that is escaped already", changes: { path: "/live/%40connections/a%3D%2B" } },
  { what: "a date four minutes ago", changes: { at: NOW - 240_000 } },
  { what: "a date on the next day", changes: { at: NOW + 60_000 } },
  { what: "credentials that do not expire", changes: { caller: { ...CALLER, sessionToken: undefined } } },
])("a signature of AWS's own signer is valid with $what", async ({ changes }) => {
  const { caller = CALLER, ...rest } = changes as Changes;
  expect(checkSignature({ ...OPTIONS, callers: [caller] }, await signed({ ...rest, caller }))).toEqual({
    kind: "valid",
    caller,
  });
});

test("a header that the network adds does not spoil a signature", async () => {
  const request = await signed();
  const traced = { ...request, headers: { ...request.headers, "x-amzn-trace-id": "Root=1-2-3" } };
  expect(checkSignature(OPTIONS, traced)).toMatchObject({ kind: "valid" });
});

describe("a request is refused", () => {
  const INVALID = "InvalidSignatureException";
  const wrong = { ...CALLER, secretAccessKey: "another" };
  test.each([
    { when: "its secret is wrong", changes: { caller: wrong }, code: INVALID },
    { when: "it is six minutes old", changes: { at: NOW - 360_000 }, code: INVALID },
    { when: "it is six minutes early", changes: { at: NOW + 360_000 }, code: INVALID },
    { when: "it is for another Region", changes: { region: "eu-central-1" }, code: INVALID },
    { when: "it is for another service", changes: { service: "dynamodb" }, code: INVALID },
    {
      when: "nobody has its key",
      changes: { caller: { ...CALLER, accessKeyId: "ASIANOBODY" } },
      code: "UnrecognizedClientException",
    },
    {
      when: "its session token is another's",
      changes: { caller: { ...CALLER, sessionToken: "old" } },
      code: "UnrecognizedClientException",
    },
  ])("if $when", async ({ changes, code }) => {
    expect(checkSignature(OPTIONS, await signed(changes))).toMatchObject({
      kind: "invalid",
      refusal: { code },
    });
  });

  const header = (name: string, value: string | undefined) => (request: CallRequest) => ({
    ...request,
    headers: { ...request.headers, [name]: value },
  });
  const rewritten = (from: RegExp, to: string) => (request: CallRequest) =>
    header("authorization", String(request.headers["authorization"]).replace(from, to))(request);

  test.each([
    { when: "its body was changed", change: (it: CallRequest) => ({ ...it, body: Buffer.from("{ }") }) },
    { when: "its path was changed", change: (it: CallRequest) => ({ ...it, path: "/other" }) },
    { when: "its method was changed", change: (it: CallRequest) => ({ ...it, method: "PUT" }) },
    { when: "a signed header was changed", change: header("x-amz-target", "AmazonSQS.PurgeQueue") },
    { when: "a signed header is gone", change: header("content-type", undefined) },
    { when: "its host is not signed", change: rewritten(/host;/, "") },
    { when: "its operation is not signed", change: rewritten(/;x-amz-target/, "") },
    { when: "it names a header in capitals", change: rewritten(/host;/, "Host;") },
    { when: "it signs a header that was not sent", change: rewritten(/host;/, "host;trailer;") },
    { when: "its hash is another body's", change: header("x-amz-content-sha256", "0".repeat(64)) },
    { when: "its date is another than its scope's", change: header("x-amz-date", "20260201T000000Z") },
    { when: "it has no date", change: header("x-amz-date", undefined) },
    { when: "its signature was changed", change: rewritten(/[0-9a-f]{8}$/, "00000000") },
  ])("if $when", async ({ change }) => {
    expect(checkSignature(OPTIONS, change(await signed()))).toMatchObject({
      kind: "invalid",
      refusal: { code: INVALID },
    });
  });

  test.each([
    { when: "it is not signed", value: undefined, code: "MissingAuthenticationTokenException" },
    { when: "it is signed by other means", value: "Bearer x", code: "IncompleteSignatureException" },
  ])("if $when", async ({ value, code }) => {
    expect(checkSignature(OPTIONS, header("authorization", value)(await signed()))).toMatchObject({
      refusal: { code },
    });
  });
});
