import { defineConfig } from "vitest/config";

/** Thousands of sockets, so it takes a minute and is not part of `npm test`. */
export default defineConfig({
  test: {
    include: ["test/load/*.test.ts"],
    fileParallelism: false,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
