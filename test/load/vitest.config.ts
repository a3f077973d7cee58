import { defineConfig } from "vitest/config";

/** Thousands of sockets and minutes of messages, so it takes a while and is not part of `npm test`. */
export default defineConfig({
  test: {
    include: ["test/load/*.test.ts"],
    fileParallelism: false,
    hookTimeout: 60_000,
    // A poll ends as soon as it is right; how long a busy machine takes for that is not what a test is about.
    expect: { poll: { timeout: 15_000 } },
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
