import { defineConfig } from "vitest/config";

/** What needs a Centrifugo: `CENTRIFUGO` names it, and the one on the PATH is taken otherwise. */
export default defineConfig({
  test: {
    include: ["test/centrifugo/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 150_000,
    expect: { poll: { timeout: 60_000, interval: 20 } },
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
