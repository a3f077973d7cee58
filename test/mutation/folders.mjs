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
  dynamodb: {
    mutate: ["shared/adapters/dynamodb/*.ts"],
    tests: [
      "test/adapters/{dynamo-subscriptions,list-page,rounds,table-faults,unprocessed}.test.ts",
      "test/contract/{quota-beats,receipt-import,table}.test.ts",
      "test/versions/{bodies,connections,version}.test.ts",
    ],
    slow: [],
    // A static mutant is the name of an attribute, and would run every suite with an emulator.
    ignoreStatic: true,
  },
  adapters: {
    mutate: ["shared/adapters/{sdk,sqs,apigateway,jwt,emf}/*.ts"],
    tests: ["test/adapters/*.test.ts", "test/contract/*.test.ts"],
    slow: ["test/adapters/{list-page,time}.test.ts", "test/contract/{short-table,table}.test.ts"],
    // A static mutant is a constant of a module, and would run every suite with an emulator.
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
