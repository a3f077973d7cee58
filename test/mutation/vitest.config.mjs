import { defineConfig } from "vitest/config";
import { chosen } from "./folders.mjs";

const { tests, slow } = chosen();

/** The suites of one folder. Test files share a process, since each mutant starts them anew. */
export default defineConfig({
  test: {
    include: tests,
    exclude: slow,
    isolate: false,
    // A mutant that waits for ever is found by this. The slowest test takes a second.
    testTimeout: 10_000,
    hookTimeout: 60_000,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
