import { chosen } from "./folders.mjs";

const folder = process.env.TAGWIRE_MUTATION;
const { mutate, ignoreStatic } = chosen();
const cache = "node_modules/.cache/stryker";

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  testRunner: "vitest",
  vitest: { configFile: "test/mutation/vitest.config.mjs" },
  plugins: ["@stryker-mutator/*", "./test/mutation/warning.mjs"],
  ignorers: ["warning"],
  mutate,
  ignoreStatic,
  coverageAnalysis: "perTest",
  concurrency: 2,
  incremental: true,
  incrementalFile: `${cache}/${folder}.json`,
  tempDirName: `.stryker-tmp/${folder}`,
  reporters: ["clear-text", "progress-append-only", "html", "json"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  htmlReporter: { fileName: `${cache}/${folder}-report.html` },
  jsonReporter: { fileName: `${cache}/${folder}-report.json` },
  thresholds: { high: 95, low: 90, break: 85 },
  timeoutMS: 30_000,
  timeoutFactor: 3,
  dryRunTimeoutMinutes: 15,
  ignorePatterns: [".stryker-tmp", "cdk.out", "dist", ".venv"],
  disableTypeChecks: false,
  // Stryker rewrites the compiler's options through an interface that TypeScript 7 no longer has. No such file is no work.
  tsconfigFile: "tsconfig.none.json",
};
