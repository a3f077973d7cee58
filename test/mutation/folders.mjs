/**
 * The folders whose code is mutated, each with the suites that judge it. Left out of them is what measures time or
 * takes seconds a file: it would run for each mutant that it covers.
 */
export const FOLDERS = {
  domain: {
    mutate: ["shared/{protocol,receipts,streams,connections,settings}/*.ts", "shared/{backoff,chunks}.ts"],
    tests: [
      "test/{protocol,receipts,streams,connections,settings}/*.test.ts",
      "test/pipeline/{backoff,chunks}.test.ts",
      "test/versions/version.test.ts",
    ],
    slow: [],
    // A static mutant is in a schema, which is made when its module is loaded: it would run all 800 tests.
    ignoreStatic: true,
  },
  pipeline: {
    mutate: ["shared/pipeline/*/*.ts"],
    tests: ["test/pipeline/*.test.ts", "test/pipeline/{quota,streams}/*.test.ts", "test/functions/*.test.ts"],
    slow: [
      "test/pipeline/slow-client.test.ts",
      "test/pipeline/deliver-cut.test.ts",
      "test/pipeline/hostile-body.test.ts",
      "test/pipeline/outage.test.ts",
      // Random schedules: each test is hundreds of runs.
      "test/pipeline/streams/schedule.test.ts",
      "test/pipeline/refresh-interleaving.test.ts",
      // The pipeline's part is judged in memory: socket.test.ts, interleaving.test.ts.
      "test/functions/socket-table.test.ts",
    ],
    // A static mutant is a constant of a module, and would run every suite.
    ignoreStatic: true,
  },
  adapters: {
    mutate: ["shared/adapters/{sdk,dynamodb,sqs,apigateway,jwt,emf}/*.ts"],
    tests: ["test/adapters/*.test.ts", "test/contract/*.test.ts", "test/versions/*.test.ts"],
    slow: [
      // The same contracts as in table.test.ts, with repeats that the SDK makes.
      "test/contract/short-table.test.ts",
      "test/adapters/time.test.ts",
    ],
    // A static mutant runs every suite, with an emulator of each service: a minute for each name of an attribute.
    ignoreStatic: true,
  },
};

/** The folder that a run is about, from the environment: the test runner's processes get nothing else. */
export function chosen() {
  const folder = FOLDERS[process.env.TAGWIRE_MUTATION ?? ""];
  if (folder === undefined)
    throw new Error(`TAGWIRE_MUTATION must be one of ${Object.keys(FOLDERS).join(", ")}`);
  return folder;
}
