import { expect, test } from "vitest";
import { tagwire } from "../support/command.ts";
import { WAITING, written } from "./lines.ts";
import { outputsFile } from "./support.ts";

const QUEUE = "https://sqs.eu-west-1.amazonaws.com/1/q";
const ROUTER = {
  ...{ HighQueueUrl: QUEUE, NormalQueueUrl: QUEUE, LowQueueUrl: QUEUE, FanoutHighQueueUrl: QUEUE },
  ...{ FanoutNormalQueueUrl: QUEUE, FanoutLowQueueUrl: QUEUE },
  ...{ DeadLetterQueueUrl: QUEUE, ReceiptsTableName: "receipts", StreamsTableName: "streams" },
};

test("a dry run checks an export and counts what is in it", async () => {
  const stdin = written([WAITING, { ...WAITING, entry: "13" }]);
  expect(await tagwire(["import", "--dry-run"], { stdin })).toEqual({
    code: 0,
    out: "the export is good: 2 waiting messages, 0 dead letters, 0 rows of receipts, 0 rows of streams\n",
    err: "",
  });
  const json = await tagwire(["import", "--dry-run", "--json"], { stdin });
  expect(JSON.parse(json.out)).toEqual({ found: { stream: 0, receipt: 0, "dead-letter": 0, waiting: 2 } });
  expect(await tagwire(["import", "--dry-run"], { stdin: stdin.replace("high", "low") })).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^tagwire: EXPORT_INVALID: line 4 has another checksum/),
  });
});

test.each([
  { why: "no outputs are named", argv: [], code: 2, says: "import needs --outputs" },
  {
    why: "the file is absent",
    argv: ["--outputs", "/absent.json"],
    says: "/absent.json cannot be read as JSON",
  },
  {
    why: "no router is in it",
    stacks: { Shop: { Bucket: "b" } },
    says: "has no outputs of a router; cdk deploy --outputs-file writes them",
  },
  {
    why: "two routers are in it",
    stacks: { A: ROUTER, B: ROUTER },
    code: 2,
    says: "has routers in A, B; name one with --stack",
  },
  {
    why: "the stack is another",
    stacks: { A: ROUTER },
    argv: ["--stack", "B"],
    says: "has no outputs of a router in a stack B",
  },
  {
    why: "an output is missing",
    stacks: { A: { ...ROUTER, LowQueueUrl: undefined } },
    says: "has no LowQueueUrl of the stack A",
  },
  {
    why: "the stack keeps no streams",
    stacks: { A: { ...ROUTER, StreamsTableName: undefined } },
    says: "the stack keeps no streams",
  },
  {
    why: "the hold is too long",
    stacks: { A: ROUTER },
    argv: ["--hold-seconds", "901"],
    code: 2,
    says: "whole number of 0-900",
  },
])("import says so if $why", async ({ stacks, argv = [], code = 1, says }) => {
  const outputs = stacks ? ["--outputs", outputsFile(stacks)] : [];
  const finished = await tagwire(["import", ...outputs, ...argv], { stdin: written([]) });
  expect(finished).toMatchObject({ code, out: "", err: expect.stringContaining(says) });
});

test("what breaks an import off is named with the lines that were carried", async () => {
  const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "s", AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
  const argv = ["import", "--outputs", outputsFile({ A: ROUTER })];
  expect(await tagwire(argv, { env, stdin: written([WAITING]) })).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /^tagwire: TABLE_UNAVAILABLE: .*ECONNREFUSED.* \(0 lines were carried; run it again with the whole export\)\n$/,
    ),
  });
});
