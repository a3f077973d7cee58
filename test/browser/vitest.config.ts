import { defineConfig } from "vitest/config";

/** What needs a Chromium: `CHROMIUM` names it, and /usr/bin/chromium is taken otherwise. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
