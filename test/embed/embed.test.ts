import { on } from "node:events";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { FUNCTIONS } from "../../shared/settings/variables.ts";
import { signToken } from "../../testing/sign-token.ts";
import { clientConfig } from "../e2e/harness/aws.ts";
import { cdk } from "../e2e/harness/cdk.ts";
import { emulator } from "../e2e/harness/emulator.ts";
import { closeGaps } from "../e2e/harness/gaps.ts";
import { bootstrap, SCRATCH } from "../e2e/harness/stack.ts";
import { open } from "../e2e/support/client.ts";
import { install, run } from "./support/run.ts";

// Outside the repository, so that nothing is found which the package does not bring.
const scratch = mkdtempSync(join(tmpdir(), "tagwire-embed-"));
const app = join(scratch, "app");
const assembly = join(scratch, "cdk.out");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

beforeAll(async () => {
  cpSync("examples/embed", app, { recursive: true });
  await install(app, inject("tarball"));
});

test("the package brings its doors and no test doubles, sources or source maps, in at most 2.75 MB", () => {
  const root = join(app, "node_modules/tagwire");
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => relative(root, join(parentPath, name)));
  expect(
    paths.filter((path) => /\.map$|^dist\/(testing|test|simulation|bench)\/|(?<!\.d)\.ts$/.test(path)),
  ).toEqual([]);
  const bytes = paths.map((path) => statSync(join(root, path)).size);
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2_750_000);
});

test("the doors load in CommonJS and in ES modules", async () => {
  const load = "const { Tagwire } = require('tagwire/infra'); console.log(typeof Tagwire)";
  expect((await run("node", ["--input-type=commonjs", "-e", load], app)).stdout).toBe("function\n");
  const doors = ["infra", "protocol", "server", "testing"]
    .map((door) => `await import("tagwire/${door}")`)
    .join(", ");
  const all = `for (const door of [${doors}]) console.log(Object.keys(door).length > 0)`;
  const { stdout } = await run("node", ["--input-type=module", "-e", all], app);
  expect(stdout).toBe("true\n".repeat(4));
});

test("a router of the package has its page, with the script bundled", async () => {
  const visit = `
    import { start } from "tagwire/testing";
    const router = await start();
    for (const path of ["/", "/page/style.css", "/page/script.js"]) console.log((await fetch(router.url + path)).status);
    await router.stop(0);`;
  const { stdout } = await run("node", ["--input-type=module", "-e", visit], app);
  expect(stdout).toBe("200\n".repeat(3));
});

test("another app compiles against the types of the package", async () => {
  await expect(run("npx", ["tsc"], app)).resolves.toMatchObject({ stdout: "" });
});

test("another app synthesizes the router with the functions as the package brings them", async () => {
  await run("npx", ["cdk", "synth", "--quiet", "--output", assembly], app);
  const packed = join(app, "node_modules/tagwire/dist/bundles");
  const assets = readdirSync(assembly).map((name) => join(assembly, name));
  const codeIn = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);
  for (const name of FUNCTIONS) {
    const code = codeIn(join(packed, `${name}.mjs`));
    const asset = assets.find((folder) => code !== undefined && codeIn(join(folder, "index.mjs")) === code);
    expect(asset, name).toBeDefined();
    // Lambda has nothing but the asset: each chunk has to be in it.
    const names = readdirSync(asset ?? "");
    const wanted = names.flatMap((file) => [
      ...(codeIn(join(asset ?? "", file)) ?? "").matchAll(/"\.\/([\w-]+\.mjs)"/g),
    ]);
    expect(names).toEqual(expect.arrayContaining(wanted.map(([, chunk]) => chunk)));
    expect(wanted.length).toBeGreaterThan(10);
  }
});

test("the package brings the command", async () => {
  const { stdout } = await run("npx", ["tagwire", "token", "--user", "shop"], app);
  expect(stdout).toMatch(/^eyJ/);
});

test("a function of the app sends a message with what addPublisher gave it", async () => {
  const { endpoint, stop } = await emulator(join(SCRATCH, "embed.log"));
  try {
    await bootstrap(endpoint);
    const outputs = join(scratch, "outputs.json");
    const context = ["--context", `tagwire:endpoint=${endpoint}`];
    await cdk(["deploy", "Shop", ...context, "--require-approval", "never", "--outputs-file", outputs], {
      endpoint,
      output: assembly,
      cwd: app,
    });
    await closeGaps(endpoint, "Shop", assembly);
    const { ShipName, SocketUrl, SecretArn } = JSON.parse(readFileSync(outputs, "utf8")).Shop;

    const secrets = new SecretsManagerClient(clientConfig(endpoint));
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: SecretArn }));
    const token = await signToken({ sub: "kim", subscribe: ["orders"] }, { secret: SecretString ?? "" });
    const socket = await open({ socketUrl: SocketUrl }, token);
    const frames = on(socket, "message");
    const frame = async () => JSON.parse(String((await frames.next()).value[0]));
    socket.send(JSON.stringify({ type: "subscribe", topics: ["orders"] }));
    expect(await frame()).toMatchObject({ type: "subscribed" });

    const lambda = new LambdaClient(clientConfig(endpoint));
    const { Payload } = await lambda.send(
      new InvokeCommand({ FunctionName: ShipName, Payload: JSON.stringify({ order: 7 }) }),
    );
    expect(JSON.parse(Buffer.from(Payload ?? []).toString())).toMatchObject({ state: "queued" });
    expect(await frame()).toMatchObject({ type: "message", event: "order.shipped", data: { order: 7 } });
    socket.close();
  } finally {
    await stop();
  }
});
