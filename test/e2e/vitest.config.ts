import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By name, and the test that takes the stack down after all others. */
class LifecycleLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) =>
      `${moduleId.endsWith("lifecycle.test.ts") ? 1 : 0} ${moduleId}`;
    return files.sort((a, b) => place(a).localeCompare(place(b)));
  }
}

export default defineConfig({
  test: {
    include: ["test/e2e/*.test.ts"],
    globalSetup: "test/e2e/harness/setup.ts",
    fileParallelism: false,
    sequence: { sequencer: LifecycleLast },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A poll ends as soon as it is right; how long a busy machine takes for that is not what a test is about.
    expect: { poll: { timeout: 15_000 } },
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
