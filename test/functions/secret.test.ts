import { beforeEach, expect, test, vi } from "vitest";
import { httpPeer, type Reply } from "../support/peer.ts";

/** Secrets Manager, as far as GetSecretValue: the versions by their labels, or an error. */
async function secretsManager(versions: Readonly<Record<string, unknown>>) {
  const peer = await httpPeer(({ body }): Reply => {
    const { VersionStage } = body as { VersionStage: string };
    const version = versions[VersionStage];
    if (version instanceof Error)
      return { status: 400, body: { __type: version.name, message: version.message } };
    return { status: 200, body: { Name: "tokens", VersionStages: [VersionStage], ...(version as object) } };
  });
  vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", peer.url);
  const { readSecret } = await import("../../functions/lambda/secret.ts");
  return { ...peer, readSecret };
}

const error = (name: string) => Object.assign(new Error("from Secrets Manager"), { name });

beforeEach(() => {
  vi.resetModules();
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  return () => vi.unstubAllEnvs();
});

test("a version of a secret is read by its label, with the time it was made", async () => {
  const { readSecret, requests } = await secretsManager({
    AWSCURRENT: { SecretString: "new", CreatedDate: 1_800_000_000.5 },
    AWSPREVIOUS: { SecretString: "old", CreatedDate: 1_700_000_000 },
  });
  expect(await readSecret("tokens", "AWSCURRENT")).toEqual({ text: "new", createdAt: 1_800_000_000_500 });
  expect(await readSecret("tokens", "AWSPREVIOUS")).toEqual({ text: "old", createdAt: 1_700_000_000_000 });
  expect(requests.map(({ body }) => body)).toEqual([
    { SecretId: "tokens", VersionStage: "AWSCURRENT" },
    { SecretId: "tokens", VersionStage: "AWSPREVIOUS" },
  ]);
});

test("a secret that was never rotated has no previous version, and that is no fault", async () => {
  const { readSecret } = await secretsManager({ AWSPREVIOUS: error("ResourceNotFoundException") });
  expect(await readSecret("tokens", "AWSPREVIOUS")).toBeUndefined();
});

test.each([
  { what: "the secret is not there", stage: "AWSCURRENT", answer: error("ResourceNotFoundException") },
  { what: "it may not be read", stage: "AWSPREVIOUS", answer: error("AccessDeniedException") },
  { what: "it cannot be decrypted", stage: "AWSCURRENT", answer: error("DecryptionFailure") },
  { what: "it holds bytes and no text", stage: "AWSCURRENT", answer: { SecretBinary: "c2VjcmV0" } },
] as const)("it is a fault if $what", async ({ stage, answer }) => {
  const { readSecret } = await secretsManager({ [stage]: answer });
  await expect(readSecret("tokens", stage)).rejects.toThrow(/Secrets Manager|holds no text/);
});
