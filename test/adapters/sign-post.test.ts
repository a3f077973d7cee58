import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, test } from "vitest";
import { percentEncode, postSigner } from "../../shared/adapters/aws/sign-post.ts";
import type { Identity } from "../../shared/adapters/aws/signature.ts";

/** The SDK signs with it too. */
const { sha256 } = new ApiGatewayManagementApiClient({ region: "us-east-1" }).config;

const text = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
const LETTERS = "abcXYZ0189";

const request = fc.record({
  host: fc.constantFrom("abc123.execute-api.eu-west-1.amazonaws.com", "127.0.0.1:4566", "[::1]:80"),
  region: fc.constantFrom("us-east-1", "eu-west-1", "cn-northwest-1"),
  service: fc.constantFrom("execute-api", "dynamodb", "sqs"),
  type: fc.constantFrom("application/octet-stream", "application/x-amz-json-1.0"),
  target: fc.option(text(`${LETTERS}._`, 1, 40), { nil: undefined }),
  stage: fc.constantFrom("", "/prod", "/$default", "/_aws/execute-api/a1b2/prod", "/a~b.c-d"),
  id: text(`${LETTERS}+/=_-`, 1, 128),
  body: fc.oneof(fc.uint8Array({ maxLength: 2_000 }), fc.string({ unit: "binary", maxLength: 500 })),
  identity: fc.oneof(
    fc.record(
      {
        accessKeyId: text(LETTERS, 1, 30),
        secretAccessKey: text(`${LETTERS}+/=`, 1, 60),
        sessionToken: text(`${LETTERS}+/=`, 1, 400),
      },
      { requiredKeys: ["accessKeyId", "secretAccessKey"] },
    ),
    fc.constantFrom<Identity>(
      { accessKeyId: "ann", secretAccessKey: "one" },
      { accessKeyId: "ann", secretAccessKey: "two" },
      { accessKeyId: "ann", secretAccessKey: "two", sessionToken: "three" },
    ),
  ),
  now: fc.oneof(
    fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2099, 11, 31) }),
    fc.integer({ min: Date.UTC(2026, 0, 1) - 2_000, max: Date.UTC(2026, 0, 1) + 2_000 }),
  ),
});

/** Both are kept over all requests, as they are in a run, so that what they keep is tested too. */
const signers = new Map<string, ReturnType<typeof postSigner>>();

test("every header equals what @smithy/signature-v4 makes of the same request", async () => {
  await fc.assert(
    fc.asyncProperty(request, async ({ host, region, service, type, target, identity, ...rest }) => {
      const { stage, id, body, now } = rest;
      const path = `${stage}/@connections/${percentEncode(id)}`;
      const library = new SignatureV4({
        service,
        region,
        credentials: identity,
        sha256,
        applyChecksum: false,
      });
      const operation = target === undefined ? {} : { "x-amz-target": target };
      const { headers } = await library.sign(
        {
          method: "POST",
          protocol: "https:",
          hostname: host,
          path,
          query: {},
          headers: { host, "content-type": type, ...operation },
          body,
        },
        { signingDate: new Date(now) },
      );
      const options = { host, region, service, type };
      const ours = signers.get(JSON.stringify(options)) ?? postSigner(options);
      signers.set(JSON.stringify(options), ours);
      const post = { path, body, identity, now, ...(target === undefined ? {} : { target }) };
      expect({ host, ...pairs(ours(post)) }).toEqual(headers);
    }),
    { numRuns: 3_000 },
  );
});

test("one signer follows the second, the day and the credentials", () => {
  const options = { host: "h", region: "us-east-1", service: "sqs", type: "text/plain" };
  const sign = postSigner(options);
  const fresh = (post: Parameters<typeof sign>[0]) => postSigner(options)(post);
  const body = new Uint8Array([1]);
  const ann = { accessKeyId: "ann", secretAccessKey: "one" };
  const midnight = Date.UTC(2026, 0, 1);
  const posts = [
    { path: "/a", body, identity: ann, now: midnight - 1 },
    { path: "/a", body, identity: ann, now: midnight },
    { path: "/a", body, identity: ann, now: midnight + 999 },
    { path: "/b", body, identity: ann, now: midnight + 1_000 },
    { path: "/b", body, identity: { ...ann, secretAccessKey: "two" }, now: midnight + 1_000 },
    { path: "/b", body, identity: { ...ann, sessionToken: "t" }, now: midnight + 1_000 },
    { path: "/b", body: new Uint8Array([2]), identity: ann, now: midnight - 1 },
  ];
  expect(posts.map(sign)).toEqual(posts.map(fresh));
});

const pairs = (flat: readonly string[]): Record<string, string> =>
  Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ""]] : [])));
