import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What computes longest comes first, or it would run alone at the end. */
class SimulationFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => (moduleId.includes("/test/simulation/") ? 0 : 1);
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [
      "test/load/**",
      "test/e2e/**",
      "test/embed/**",
      "test/moto/**",
      "test/centrifugo/**",
      "test/schemathesis/**",
      "test/python/**",
      "test/browser/**",
    ],
    // Most tests wait more than they compute.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: SimulationFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A poll ends as soon as it is right; how long a busy machine takes for that is not what a test is about.
    expect: { poll: { timeout: 15_000 } },
    coverage: {
      include: ["{shared,functions,infra,server,local,cli,client}/**/*.ts"],
      // What only a process or a thread of its own runs, or a browser.
      exclude: [
        "**/*.d.ts",
        "infra/{app,build,bundles}.ts",
        "local/main.ts",
        "cli/main.ts",
        "local/page/app/**",
        "local/engine/store/{worker,writer,housekeeper,schema}.ts",
      ],
      reporter: ["text-summary"],
      reportOnFailure: true,
      thresholds: { statements: 95, branches: 89, functions: 94, lines: 96 },
    },
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
