import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSync, transformSync } from "esbuild";

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
for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" }))
  if (/^(infra|shared\/(protocol|settings|metric\b)).*\.d\.ts$/.test(name)) {
    mkdirSync(join("dist/cjs", dirname(name)), { recursive: true });
    cpSync(join("dist", name), join("dist/cjs", name));
  }
// The command line is not imported.
for (const name of readdirSync("dist/cli", { recursive: true, encoding: "utf8" }))
  if (name.endsWith(".d.ts")) rmSync(join("dist/cli", name));
// Comments stay in the types, which editors show, and not in the code.
for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" }))
  if (name.endsWith(".js")) {
    const file = join("dist", name);
    writeFileSync(file, transformSync(readFileSync(file, "utf8")).code);
  }
writeFileSync("dist/cjs/package.json", '{ "type": "commonjs" }\n');

run("npx", "cdk", "synth", "--quiet", "--output", "dist/assembly");
run("node", "--import", "tsx", "infra/bundles.ts", "dist/assembly", "--to", "dist/bundles");
rmSync("dist/assembly", { recursive: true });
for (const name of readdirSync("dist/bundles", { recursive: true, encoding: "utf8" })) {
  const file = join("dist/bundles", name);
  if (name.endsWith(".map")) rmSync(file);
  else if (name.endsWith(".mjs"))
    writeFileSync(file, readFileSync(file, "utf8").replace(/\n\/\/# sourceMappingURL=\S+\s*$/, "\n"));
}
