import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/moto/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
