import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import type { Check } from "../../../cli/doctor/check.ts";
import { command, tagwire } from "../../support/command.ts";
import { awsWith, scopeOf, type TestAccount } from "./aws.ts";

const REQUESTS = "L-8A5B8E43";
const CONNECTS = "L-9ED1E49A";
const RUNS = "L-B99A9384";

/** An account to which the router can be deployed as it comes. */
const GOOD: TestAccount = {
  concurrency: 1_000,
  quotas: { [REQUESTS]: 10_000, [CONNECTS]: 500 },
  parameters: { "/cdk-bootstrap/hnb659fds/version": "31" },
};

/** What the doctor finds in an account, by the name of the check. */
async function examine(account: TestAccount, argv: readonly string[] = []) {
  const { env, requests } = await awsWith(account);
  const { code, out, err } = await tagwire(["doctor", "--json", ...argv], { env });
  const checks = out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Check);
  return { code, err, requests, checks: new Map(checks.map((check) => [check.name, check])) };
}

test("an account that has what it takes is fine, and the exit code says so", async () => {
  const { code, err, checks, requests } = await examine(GOOD);
  expect([...checks].map(([name, { status }]) => [name, status])).toEqual([
    ["Region", "ok"],
    ["CDK bootstrap", "ok"],
    ["Lambda concurrency", "ok"],
    ["API Gateway requests", "ok"],
    ["API Gateway connects", "ok"],
    ["arm64 and Node.js 24", "unknown"],
  ]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(new Set(requests.map(scopeOf).map(({ region, service }) => `${region} ${service}`))).toEqual(
    new Set(["eu-south-1 lambda", "eu-south-1 servicequotas", "eu-south-1 ssm"]),
  );
});

interface Case {
  readonly why: string;
  readonly account: TestAccount;
  readonly argv?: readonly string[];
  readonly check: string;
  readonly status: Check["status"];
  /** Of the detail. */
  readonly says: string;
  readonly todo?: string;
}

const CASES: readonly Case[] = [
  {
    why: "a young account has 10 runs",
    account: { concurrency: 10 },
    check: "Lambda concurrency",
    status: "would fail",
    says: "10 runs at a time, 10 of them unreserved; the consumer reserves 28, and Lambda keeps 10 unreserved",
    todo: "-c tagwire:reserve=false",
  },
  {
    why: "a young account deploys without the reserve",
    account: { concurrency: 10 },
    argv: ["--no-reserve"],
    check: "Lambda concurrency",
    status: "ok",
    says: "nothing is reserved",
    todo: "slow each other down",
  },
  {
    why: "an account of 1,000 deploys without the reserve",
    account: { concurrency: 1_000 },
    argv: ["--no-reserve"],
    check: "Lambda concurrency",
    status: "ok",
    says: "nothing is reserved",
  },
  {
    why: "128 are unreserved, and the reserve leaves 100",
    account: { unreserved: 128 },
    check: "Lambda concurrency",
    status: "ok",
    says: "1000 runs at a time, 128 of them unreserved",
  },
  {
    why: "127 are unreserved, and the reserve leaves 99",
    account: { unreserved: 127 },
    check: "Lambda concurrency",
    status: "would fail",
    says: "the consumer reserves 28, and Lambda keeps 100 unreserved",
    todo: "an update of a router that has its reserve already is fine",
  },
  {
    why: "the settings want more than the account has",
    account: {},
    argv: ["--settings", '{"lanes":{"high":{"concurrency":900}}}'],
    check: "Lambda concurrency",
    status: "would fail",
    says: "reserves 920",
  },
  {
    why: "Lambda may not be asked, but Service Quotas may",
    account: { denied: ["lambda"], quotas: { ...GOOD.quotas, [RUNS]: 10 } },
    check: "Lambda concurrency",
    status: "would fail",
    says: "10 runs at a time",
  },
  {
    why: "neither may be asked",
    account: { denied: ["lambda", "servicequotas"] },
    check: "Lambda concurrency",
    status: "unknown",
    says: "no permission to read the account's concurrency",
    todo: "allow lambda:GetAccountSettings",
  },
  {
    why: "the quota of a newer Region is less than the settings count on",
    account: { quotas: { [REQUESTS]: 2_500 } },
    check: "API Gateway requests",
    status: "would fail",
    says: "2500 requests a second; the settings count on 10000",
    todo: `-c tagwire:settings='{"quotaRequestsPerSecond":2500}'`,
  },
  {
    why: "the settings are those of a newer Region",
    account: { quotas: { [REQUESTS]: 2_500 } },
    argv: ["--settings", '{"quotaRequestsPerSecond":2500}'],
    check: "API Gateway requests",
    status: "ok",
    says: "2500 requests a second; the settings count on 2500",
  },
  {
    why: "a quota was never changed, so only its default is known",
    account: { quotas: {}, defaults: { [REQUESTS]: 2_500 } },
    check: "API Gateway requests",
    status: "would fail",
    says: "2500 requests a second",
  },
  {
    why: "the quota cannot be read in a newer Region",
    account: { denied: ["servicequotas"] },
    check: "API Gateway requests",
    status: "unknown",
    says: "an account in eu-south-1 has 2500 requests a second unless it asked for more",
    todo: "tagwire:settings",
  },
  {
    why: "the quota cannot be read elsewhere",
    account: { denied: ["servicequotas"] },
    argv: ["--region", "eu-west-1"],
    check: "API Gateway requests",
    status: "unknown",
    says: "no permission to read API Gateway's request quota",
    todo: "allow servicequotas:GetServiceQuota",
  },
  {
    why: "nobody knows the quota of connects",
    account: { quotas: { [REQUESTS]: 10_000 } },
    check: "API Gateway connects",
    status: "unknown",
    says: "AWS knows nothing of the quota of new connections",
  },
  {
    why: "the account is not bootstrapped",
    account: { parameters: {} },
    check: "CDK bootstrap",
    status: "would fail",
    says: "not bootstrapped",
    todo: "npx cdk bootstrap",
  },
  {
    why: "the bootstrap stack is too old",
    account: { parameters: { "/cdk-bootstrap/hnb659fds/version": "5" } },
    check: "CDK bootstrap",
    status: "would fail",
    says: "version 5; a deploy needs 6 or later",
    todo: "npx cdk bootstrap",
  },
  {
    why: "the bootstrap stack has a qualifier of its own",
    account: { parameters: { "/cdk-bootstrap/shop/version": "31" } },
    argv: ["--qualifier", "shop"],
    check: "CDK bootstrap",
    status: "ok",
    says: "version 31",
  },
  {
    why: "the parameter may not be read",
    account: { denied: ["ssm"] },
    check: "CDK bootstrap",
    status: "unknown",
    says: "no permission to read the CDK's bootstrap version",
    todo: "allow ssm:GetParameter",
  },
  {
    why: "the parameter holds something else",
    account: { parameters: { "/cdk-bootstrap/hnb659fds/version": "x" } },
    check: "CDK bootstrap",
    status: "unknown",
    says: "holds no number",
  },
  {
    why: "the session has expired",
    account: { fault: "ExpiredTokenException" },
    check: "Lambda concurrency",
    status: "would fail",
    says: "AWS rejects the credentials: ExpiredTokenException",
    todo: "log in again",
  },
];

test.each(CASES)("$check is told as $status where $why", async ({
  account,
  argv,
  check,
  status,
  says,
  todo,
}) => {
  const found = await examine({ ...GOOD, ...account }, argv);
  expect(found.checks.get(check)).toMatchObject({
    name: check,
    status,
    detail: expect.stringContaining(says),
  });
  const hint = found.checks.get(check)?.todo;
  if (todo === undefined && status === "ok") expect(hint).toBeUndefined();
  if (todo !== undefined) expect(hint).toContain(todo);
  const failing = [...found.checks.values()].filter((each) => each.status === "would fail");
  expect(found.code).toBe(failing.length > 0 ? 1 : 0);
  expect(found.err).toBe(
    failing.length > 0 ? `tagwire: a deploy would fail: ${failing.map(({ name }) => name).join(", ")}\n` : "",
  );
});

test("an account that may read nothing is no reason to fail", async () => {
  const { code, checks } = await examine({ ...GOOD, denied: ["lambda", "servicequotas", "ssm"] });
  const asked = [...checks.values()].filter(({ name }) => name !== "Region");
  expect(new Set(asked.map(({ status }) => status))).toEqual(new Set(["unknown"]));
  expect(code).toBe(0);
});

test("people read a line for each check, and under it what to do", async () => {
  const { env } = await awsWith({ ...GOOD, concurrency: 10 });
  const { code, out, err } = await tagwire(["doctor"], { env });
  expect(out).toMatch(/^ok {10}Region {16}eu-south-1$/m);
  expect(out).toMatch(/^ok {10}CDK bootstrap {9}version 31$/m);
  expect(out).toMatch(
    /^would fail {2}Lambda concurrency {4}10 runs at a time, .+\n {12}→ deploy with -c tagwire:reserve=false/m,
  );
  expect(err).toBe("tagwire: a deploy would fail: Lambda concurrency\n");
  expect(code).toBe(1);
});

/** A machine on which nobody is logged in, in a process of its own, since the SDK reads files and the environment. */
const STRANGER = {
  AWS_CONFIG_FILE: `${tmpdir()}/there-is-no-such-file`,
  AWS_SHARED_CREDENTIALS_FILE: `${tmpdir()}/there-is-no-such-file`,
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_ACCESS_KEY_ID: "",
  AWS_SECRET_ACCESS_KEY: "",
  AWS_SESSION_TOKEN: "",
  AWS_PROFILE: "",
  AWS_REGION: "",
  AWS_DEFAULT_REGION: "",
};

test.each([
  {
    what: "Region",
    env: {},
    argv: [],
    says: "there is none",
    todo: "set AWS_REGION, or name it with --region",
  },
  {
    what: "credentials",
    env: { AWS_REGION: "eu-west-1" },
    argv: [],
    says: "there are none",
    todo: "set AWS_PROFILE",
  },
  { what: "credentials", env: {}, argv: ["--region", "eu-west-1"], says: "there are none", todo: "log in" },
])("without $what the doctor asks AWS nothing and says what to set", async ({
  what,
  env,
  argv,
  says,
  todo,
}) => {
  const { child, finished } = command(["doctor", "--json", ...argv], { ...STRANGER, ...env });
  child.stdin.end();
  const [code, out, err] = await finished;
  expect(JSON.parse(out)).toMatchObject({
    name: what,
    status: "would fail",
    detail: expect.stringContaining(says),
    todo: expect.stringContaining(todo),
  });
  expect({ code, err }).toEqual({ code: 1, err: `tagwire: a deploy would fail: ${what}\n` });
});

test("settings that break a rule are refused before AWS is asked", async () => {
  const { env, requests } = await awsWith(GOOD);
  const argv = ["doctor", "--settings", '{"lanes":{"low":{"concurrency":1}}}'];
  const { code, err } = await tagwire(argv, { env });
  expect({ code, err }).toEqual({
    code: 2,
    err: "tagwire: SETTINGS_INVALID: settings.lanes.low.concurrency must be a whole number of 2-1000, got 1\n",
  });
  expect(requests).toEqual([]);
});

test("a service that does not answer is told as unknown", async () => {
  const { code, checks } = await examine({ ...GOOD, down: ["ssm"] });
  expect(checks.get("CDK bootstrap")).toMatchObject({
    status: "unknown",
    detail: expect.stringContaining("could not be read: InternalFailure"),
  });
  expect(code).toBe(0);
});
