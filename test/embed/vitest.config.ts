import { defineConfig } from "vitest/config";

/** Installs the packed package, so it needs the registry: not part of `npm test`. */
export default defineConfig({
  test: {
    include: ["test/embed/*.test.ts"],
    globalSetup: "test/embed/support/pack.ts",
    // Each installs packages and runs compilers.
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 300_000,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
