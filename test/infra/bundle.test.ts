import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { afterAll, expect, test } from "vitest";
import { Tagwire } from "../../infra/index.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { ENV, FUNCTIONS, type FunctionName } from "../../shared/settings/variables.ts";

const run = promisify(execFile);
const outdir = mkdtempSync(join(tmpdir(), "tagwire-bundle-"));
afterAll(() => rmSync(outdir, { recursive: true }));

const stack = new Stack(new App({ outdir, builtinCloudFormationValidation: false }), "Test");
new Tagwire(stack, "Router");
const functions = Object.entries(Template.fromStack(stack).findResources("AWS::Lambda::Function"));

/** Something that each function answers without a call to AWS. */
const ASKED: Readonly<Record<FunctionName, { event: object; answer: object }>> = {
  ingest: { event: { headers: {} }, answer: { statusCode: 401 } },
  receipts: { event: { headers: {} }, answer: { statusCode: 401 } },
  connections: { event: { headers: {} }, answer: { statusCode: 401 } },
  socket: {
    event: { requestContext: { eventType: "CONNECT", connectionId: "c1=", connectedAt: 1 } },
    answer: { statusCode: 401 },
  },
  consume: { event: { Records: [] }, answer: { batchItemFailures: [] } },
};

const CALL = `
const { handler } = await import(process.argv[1]);
const answer = await handler(JSON.parse(process.argv[2]), { getRemainingTimeInMillis: () => 60000 });
process.stderr.write(JSON.stringify(answer));`;

test.each(FUNCTIONS)("the bundle of %s starts on this Node by itself, and answers", async (name) => {
  const [, { Properties } = expect.fail()] =
    functions.find(([id]) => id.toLowerCase().includes(`${name}function`)) ?? [];
  const file = join(outdir, `asset.${Properties.Code.S3Key.replace(".zip", "")}`, "index.mjs");
  const env = {
    ...Object.fromEntries(ENV[name].map((key) => [key, "https://example.com"])),
    TOKENS: '{"secretId":"none"}',
    SETTINGS: JSON.stringify(DEFAULTS),
    AWS_REGION: "us-east-1",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
  const { event, answer } = ASKED[name];
  const args = ["--input-type=module", "-e", CALL, pathToFileURL(file).href, JSON.stringify(event)];
  // Outside the repository no module can be found that the bundle does not bring.
  const { stderr } = await run(process.execPath, args, { env, cwd: outdir });
  expect(JSON.parse(stderr)).toMatchObject(answer);
});
