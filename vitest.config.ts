import { availableParallelism } from "node:os";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What computes longest comes first, or it would run alone at the end. */
class SimulationFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => (moduleId.includes("/test/simulation/") ? 0 : 1);
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

const NAG = "test/infra/nag.test.ts";

/** What needs more than Node and npm has a script of its own. */
const NEEDS_MORE = ["browser", "centrifugo", "e2e", "embed", "load", "moto", "python", "schemathesis"].map(
  (folder) => `test/${folder}/**`,
);

const project = (
  name: string,
  include: string[],
  exclude: string[],
  { isolate }: { readonly isolate: boolean },
): TestProjectInlineConfiguration => ({
  test: {
    ...{ name, include, exclude, isolate },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A poll ends as soon as it is right; how long a busy machine takes for that is not what a test is about.
    expect: { poll: { timeout: 15_000 } },
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});

export default defineConfig({
  test: {
    projects: [
      // Files share their process, so that what many of them import is loaded once.
      project("product", ["test/**/*.test.ts"], [...NEEDS_MORE, NAG], { isolate: false }),
      // cdk-nag keeps what an earlier file of the process has loaded.
      project("nag", [NAG], [], { isolate: true }),
    ],
    // Most tests wait more than they compute.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: SimulationFirst },
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
  },
});
