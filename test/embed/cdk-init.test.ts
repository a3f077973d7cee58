import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { install, run } from "./support/run.ts";

/** The name of the folder is that of the app. */
const scratch = mkdtempSync(join(tmpdir(), "tagwire-init-"));
const cdk = join(process.cwd(), "node_modules/.bin/cdk");
const app = join(scratch, "app");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const TEST = `
import * as cdk from 'aws-cdk-lib/core';
import { Template } from 'aws-cdk-lib/assertions';
import * as App from '../lib/app-stack';

test('a router is in the stack', () => {
  const stack = new App.AppStack(new cdk.App(), 'MyTestStack');
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Lambda::Function', 6);
  template.hasResourceProperties('AWS::Lambda::EventSourceMapping', { ScalingConfig: { MaximumConcurrency: 4 } });
  expect(stack.router.node.path).toBe('MyTestStack/Router');
  expect(stack.router.metricLaneAge('high').metricName).toBe('ApproximateAgeOfOldestMessage');
});
`;

/** Replaces a text that `cdk init` must have written. */
function edit(file: string, changes: Readonly<Record<string, string>>): void {
  const path = join(app, file);
  let text = readFileSync(path, "utf8");
  for (const [from, to] of Object.entries(changes)) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  writeFileSync(path, text);
}

// What someone does who follows the CDK's first page: an app of its template, and our construct in its stack.
beforeAll(async () => {
  await run("mkdir", [app]);
  await run(cdk, ["init", "app", "--language", "typescript", "--generate-only"], app);
  edit("lib/app-stack.ts", {
    "import { Construct } from 'constructs';":
      "import { Construct } from 'constructs';\nimport { Tagwire } from 'tagwire/infra';",
    "extends cdk.Stack {": "extends cdk.Stack {\n  readonly router: Tagwire;\n",
    "// The code that defines your stack goes here":
      "this.router = new Tagwire(this, 'Router', { settings: { lanes: { high: { concurrency: 4 } } } });",
  });
  writeFileSync(join(app, "test/app.test.ts"), TEST);
  await install(app, inject("tarball"));
});

test("an app of cdk init compiles with a router in it", async () => {
  await run("npm", ["run", "build"], app);
});

test("its Jest test, which is CommonJS, loads the construct and passes", async () => {
  const { stderr } = await run("npx", ["jest", "--ci"], app);
  expect(stderr).toMatch(/Tests: +1 passed, 1 total/);
});

test("it synthesises", async () => {
  await run("npx", ["cdk", "synth", "--quiet"], app);
  const template = JSON.parse(readFileSync(join(app, "cdk.out/AppStack.template.json"), "utf8"));
  const types = Object.values(template.Resources as Record<string, { Type: string }>).map(({ Type }) => Type);
  expect(types.filter((type) => type === "AWS::SQS::Queue")).toHaveLength(7);
});
