import { readFileSync } from "node:fs";
import { App, RemovalPolicy } from "aws-cdk-lib";
import { Architecture, Runtime, RuntimeFamily } from "aws-cdk-lib/aws-lambda";
import { expect, test } from "vitest";
import { propsOf } from "../../infra/context.ts";

const { RETAIN_ON_UPDATE_OR_DELETE: RETAIN, DESTROY } = RemovalPolicy;

const SWITCHES = [
  { key: "endpoint", value: "http://127.0.0.1:1", props: { emulator: { endpoint: "http://127.0.0.1:1" } } },
  {
    key: "settings",
    value: '{"receiptRetentionDays":30}',
    props: { settings: { receiptRetentionDays: 30 } },
  },
  { key: "settings", value: { receiptRetentionDays: 30 }, props: { settings: { receiptRetentionDays: 30 } } },
  { key: "removal", value: "retain", props: { removalPolicy: RETAIN } },
  { key: "removal", value: "destroy", props: { removalPolicy: DESTROY } },
  { key: "reserve", value: "false", props: { reserveConcurrency: false } },
  { key: "reserve", value: true, props: { reserveConcurrency: true } },
  { key: "stage", value: "blue", props: { socket: { stageName: "blue" } } },
  { key: "architecture", value: "x86_64", props: { architecture: Architecture.X86_64 } },
  { key: "architecture", value: "arm64", props: { architecture: Architecture.ARM_64 } },
  ...["nodejs22.x", "nodejs24.x", "nodejs26.x"].map((value) => ({
    key: "runtime",
    value,
    props: { runtime: new Runtime(value, RuntimeFamily.NODEJS) },
  })),
];

test.each(SWITCHES)("-c tagwire:$key=$value is a switch of the deploy", ({ key, value, props }) => {
  expect(propsOf({ [`tagwire:${key}`]: value })).toEqual(props);
});

test("without a switch everything is as the construct has it, whatever else the context holds", () => {
  expect(propsOf({ "aws:cdk:bundling-stacks": ["x"] })).toEqual({});
});

test("switches go together", () => {
  expect(propsOf({ "tagwire:reserve": "false", "tagwire:stage": "blue" })).toEqual({
    reserveConcurrency: false,
    socket: { stageName: "blue" },
  });
});

test.each([
  { key: "reserve", value: "no", says: 'tagwire:reserve must be true or false, got "no"' },
  { key: "removal", value: "keep", says: 'tagwire:removal must be retain or destroy, got "keep"' },
  { key: "architecture", value: "arm", says: 'tagwire:architecture must be arm64 or x86_64, got "arm"' },
  { key: "runtime", value: "nodejs18.x", says: "tagwire:runtime must be nodejs22.x or later" },
  { key: "runtime", value: "python3.13", says: "tagwire:runtime must be nodejs22.x or later" },
  { key: "settings", value: "{", says: "tagwire:settings must be JSON, got {" },
  { key: "resreve", value: "false", says: "there is no tagwire:resreve; there are tagwire:endpoint" },
])("tagwire:$key=$value is refused, and not dropped without a word", ({ key, value, says }) => {
  expect(() => propsOf({ [`tagwire:${key}`]: value })).toThrow(says);
});

test("docs/deploy.md has a row for each switch and no other", () => {
  const rows = [...readFileSync("docs/deploy.md", "utf8").matchAll(/^\| `tagwire:(\w+)` \|/gm)];
  const listed = rows.map(([, key]) => key);
  expect(listed.toSorted()).toEqual([...new Set(SWITCHES.map(({ key }) => key))].toSorted());
});

test("context of an app is read as the command line gives it", () => {
  const app = new App({ context: { "tagwire:stage": "blue" } });
  expect(propsOf(app.node.getAllContext())).toMatchObject({ socket: { stageName: "blue" } });
});
