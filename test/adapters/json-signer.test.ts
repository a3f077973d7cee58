import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonSigner } from "../../shared/adapters/aws/json-signer.ts";

/** The SDK signs with it too. */
const { sha256 } = new DynamoDBClient({ region: "us-east-1" }).config;

const word = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(..."abcXYZ0189+/="), minLength: 1, maxLength });

const request = fc.record({
  region: fc.constantFrom("us-east-1", "eu-west-1"),
  service: fc.constantFrom("dynamodb", "sqs"),
  body: fc.oneof(fc.json(), fc.string({ unit: "grapheme" })),
  target: word(40),
  trace: fc.option(word(40), { nil: undefined }),
  credentials: fc.record(
    { accessKeyId: word(20), secretAccessKey: word(40), sessionToken: word(100) },
    { requiredKeys: ["accessKeyId", "secretAccessKey"] },
  ),
  signingDate: fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true }),
});

test("a request is signed as @smithy/signature-v4 signs it", async () => {
  await fc.assert(
    fc.asyncProperty(request, async ({ region, service, body, target, trace, credentials, signingDate }) => {
      const options = { credentials, region, service, sha256 };
      const unsigned = {
        method: "POST",
        protocol: "https:",
        hostname: `${service}.${region}.amazonaws.com`,
        path: "/",
        query: {},
        headers: {
          host: `${service}.${region}.amazonaws.com`,
          "content-type": "application/x-amz-json-1.0",
          "content-length": String(Buffer.byteLength(body)),
          "user-agent": "aws-sdk-js/3",
          "x-amz-user-agent": "aws-sdk-js/3",
          "x-amz-target": target,
          ...(trace === undefined ? {} : { "x-amzn-trace-id": trace }),
        },
        body,
      };
      const ours = await new JsonSigner(options).sign(unsigned, { signingDate });
      const theirs = await new SignatureV4(options).sign(unsigned, { signingDate });
      expect(ours.headers).toEqual(theirs.headers);
    }),
    { numRuns: 2_000 },
  );
});

test("a request of another kind is not signed at all", async () => {
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  const signer = new JsonSigner({ credentials, region: "us-east-1", service: "dynamodb" });
  const request = { method: "GET", protocol: "https:", hostname: "h", path: "/", query: {}, headers: {} };
  await expect(signer.sign(request)).rejects.toThrow("only a POST to / can be signed here, got GET /");
});
