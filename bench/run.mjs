#!/usr/bin/env node
// Bundles the benchmarks as functions are bundled, then runs them: a loader that transforms code while it runs
// would be measured too.
import { build } from "esbuild";

const outdir = "node_modules/.cache/tagwire";
await build({
  entryPoints: [
    { in: "bench/main.ts", out: "main" },
    { in: "bench/deliver.ts", out: "deliver" },
    // The store finds its thread beside itself.
    { in: "local/engine/store/worker.ts", out: "worker" },
  ],
  outdir,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  platform: "node",
  target: "node20",
  format: "esm",
  logLevel: "warning",
});
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
await import(new URL(`../${outdir}/main.mjs`, import.meta.url));
