import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSync, transformSync } from "esbuild";
import { PAGE_BUNDLING } from "../local/page/assets.ts";
import { asyncApi } from "../shared/api/asyncapi.ts";
import { openApi } from "../shared/api/openapi.ts";

/** What `npm run build` runs: everything that the package brings, in dist/. */
const run = (command: string, ...args: string[]) => void execFileSync(command, args, { stdio: "inherit" });

rmSync("dist", { recursive: true, force: true });
run("npx", "tsc", "-p", "tsconfig.build.json");

// Jest and the apps of `cdk init` are CommonJS. The types stand beside, in a folder that says so.
buildSync({
  entryPoints: ["infra/index.ts"],
  outfile: "dist/cjs/infra/index.js",
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  packages: "external",
  define: { "import.meta.url": "__door" },
  banner: {
    js: 'const __door=require("node:url").pathToFileURL(require("node:path").join(__dirname,"../../infra/index.js")).href;',
  },
});
for (const file of declarationsOf("dist/infra/index.d.ts")) {
  const to = file.replace(/^dist/, "dist/cjs");
  mkdirSync(dirname(to), { recursive: true });
  cpSync(file, to);
}
// Types are of the doors alone: nothing else is imported.
const typed = declarationsOf(
  ...["infra", "shared/protocol", "client", "client/react", "server", "local"].map(
    (door) => `dist/${door}/index.d.ts`,
  ),
);
for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  const file = join("dist", name);
  if (name.endsWith(".d.ts") && !name.startsWith("cjs/") && !typed.has(file)) rmSync(file);
}
// Comments and indents stay in the types, which editors show, and not in the code.
for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" }))
  if (name.endsWith(".js")) {
    const file = join("dist", name);
    const { code } = transformSync(readFileSync(file, "utf8"), { minifyWhitespace: true, lineLimit: 120 });
    writeFileSync(file, code);
  }
for (const name of ["index.html", "style.css"]) cpSync(`local/page/${name}`, `dist/local/page/${name}`);
buildSync({
  ...PAGE_BUNDLING,
  entryPoints: ["local/page/app/main.ts"],
  outfile: "dist/local/page/script.js",
});
writeFileSync("dist/openapi.json", JSON.stringify(openApi()));
writeFileSync("dist/asyncapi.json", JSON.stringify(asyncApi()));
writeFileSync("dist/cjs/package.json", '{ "type": "commonjs" }\n');

run("npx", "cdk", "synth", "--quiet", "--output", "dist/assembly");
run("node", "--import", "tsx", "infra/bundles.ts", "dist/assembly", "--to", "dist/bundles");
rmSync("dist/assembly", { recursive: true });

/** These declaration files and all that they import of ours. */
function declarationsOf(...files: string[]): Set<string> {
  const reached = new Set<string>();
  const reach = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, path = ""] of readFileSync(file, "utf8").matchAll(
      /(?:from|import|import\()\s*"(\.[^"]+)"/g,
    ))
      reach(join(dirname(file), path.replace(/\.[jt]s$/, ".d.ts")));
  };
  files.forEach(reach);
  return reached;
}
