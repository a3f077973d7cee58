import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, inject, test } from "vitest";
import { install, run } from "./support/run.ts";

/** Takes what each door has by its name, so that a type that is not there does not compile. */
const APP = `
import { App, Duration, Stack } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import {
  type AlarmOptions,
  type DomainOptions,
  type Emulator,
  type FunctionName,
  type HttpOptions,
  type Issuer,
  type Lane,
  type SharedSecret,
  type SocketOptions,
  Tagwire,
  type TagwireProps,
} from "tagwire/infra";
import { type Client, connect, type ClientError } from "tagwire/client";
import { type Message, parse, PublishRequest } from "tagwire/protocol";
import { type Router, type Spy, start } from "tagwire/testing";

const alarms: AlarmOptions = { laneAge: { high: Duration.seconds(30) } };
const http: HttpOptions = { throttle: { rateLimit: 100, burstLimit: 50 } };
const socket: SocketOptions = { stageName: "blue" };
const auth: Issuer | SharedSecret = { issuer: "https://id.example.com", audience: "push" };
const emulator: Emulator = { endpoint: "http://127.0.0.1:4566" };
const props: TagwireProps = { alarms, http, socket, auth, emulator };
const router = new Tagwire(new Stack(new App(), "Shop"), "Router", props);
const lane: Lane = "high";
const name: FunctionName = "consume";
export const queue: IQueue = router.lanes[lane];
export const consume: IFunction = router.functions[name];
export const domainOf = (domain: DomainOptions): string => domain.domainName;
export const age = router.metricLaneAge(lane, { period: Duration.minutes(1) });

export const parsed = parse(PublishRequest, {}, "MESSAGE_INVALID");
export const idOf = (message: Message): string => message.id;
export const spyOf = async (): Promise<Spy> => {
  const local: Router = await start({ port: 0 });
  return local.spy;
};
export const client: Client<{ orders: { total: number } }> = connect({ url: "ws://127.0.0.1:3000", token: () => null });
client.subscribe("orders", ({ data }) => data.total.toFixed(2));
client.on("error", (error: ClientError) => error.code);
// @ts-expect-error: there is no such lane
router.metricLaneAge("urgent");
// @ts-expect-error: there is no such setting
export const wrong: TagwireProps = { settings: { lanes: { high: { concurency: 1 } } } };
`;

const FILES = ["app.mts", "app.cts"];

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    target: "ES2022",
    module: "NodeNext",
    moduleResolution: "NodeNext",
    types: ["node"],
  },
  include: FILES,
};

describe.each([
  "5.9",
  "7",
])("in a strict project of TypeScript %s that checks the types of its libraries", (version) => {
  const folder = mkdtempSync(join(tmpdir(), "tagwire-strict-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // aws-cdk-lib's own types are most of the work.
  test("each door compiles, in an ES module and in CommonJS", { timeout: 600_000 }, async () => {
    const dependencies = { "aws-cdk-lib": "^2.275.0", constructs: "^10.5.0" };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "strict", dependencies }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
    for (const file of FILES) writeFileSync(join(folder, file), APP);
    await install(folder, inject("tarball"), `typescript@${version}`, "@types/node@^24");
    const { stdout } = await run("npx", ["tsc", "--version"], folder);
    expect(stdout).toContain(`Version ${version}.`);
    await run("npx", ["tsc"], folder);
  });
});
