import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AssetHashType, DockerImage } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import type { BuildOptions } from "esbuild";
import type { FunctionName } from "../shared/settings/variables.ts";

/** Some of what is bundled is CommonJS, which asks for `require` where an ES module has none. */
const REQUIRE =
  'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);';

/**
 * How esbuild bundles. In chunks, so that what is imported on first use is not even read before: single sign-on and
 * its like of the SDK, the client of the secrets, the HTTP client of the sends.
 */
export const BUNDLING = {
  bundle: true,
  splitting: true,
  format: "esm",
  outExtension: { ".js": ".mjs" },
  platform: "node",
  // An emulator runs a function on the Node that it finds, which may be as old as ours may be.
  target: "node20",
  mainFields: ["module", "main"],
  external: [
    // The SDK asks it which browser it runs in, and in none.
    "bowser",
    // Where the SDK looks for credentials if the environment has none. Lambda's always has.
    ...["sso", "ini", "process", "web-identity"].map((place) => `@aws-sdk/credential-provider-${place}`),
  ],
  minify: true,
  // Beside the code, for those who have a stack trace to read. Node is not told to load it: that costs every cold start.
  sourcemap: true,
  sourcesContent: false,
  banner: { js: REQUIRE },
  logLevel: "warning",
} satisfies BuildOptions;

/** In the repository a function is bundled from its source. The package brings it bundled. */
export function codeOf(name: FunctionName): Code {
  const source = path("../functions/lambda");
  const isSource = existsSync(source);
  const folder = isSource ? source : path("../bundles");
  return Code.fromAsset(folder, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry("unused"),
      // CDK takes assets of one folder for the same where only this code of ours tells them apart.
      command: [name],
      local: {
        tryBundle(outdir) {
          (isSource ? bundle : copyBundle)(folder, name, outdir);
          return true;
        },
      },
    },
  });
}

function bundle(folder: string, name: FunctionName, outdir: string): void {
  // An app that embeds the package needs no esbuild.
  const { buildSync } = createRequire(import.meta.url)("esbuild") as typeof import("esbuild");
  const entryPoints = { index: `${folder}/${name}.ts` };
  buildSync({ ...BUNDLING, absWorkingDir: path(".."), entryPoints, outdir });
}

/** Copies a function of the package, where the chunks that functions share stand once, and all chunks that it reaches. */
function copyBundle(folder: string, name: FunctionName, outdir: string): void {
  const copied = new Set<string>();
  const copy = (file: string, to: string): void => {
    if (copied.has(file)) return;
    copied.add(file);
    const code = readFileSync(join(folder, file), "utf8");
    writeFileSync(join(outdir, to), code);
    for (const [, chunk = ""] of code.matchAll(/"\.\/([\w-]+\.mjs)"/g)) copy(chunk, chunk);
  };
  copy(`${name}.mjs`, "index.mjs");
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
