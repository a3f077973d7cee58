// What `npm start` runs. The sources are bundled first: to read them one by one takes more than a second.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The emulated account is another matter: it is for a look, and brings the AWS SDK. */
if (process.argv.includes("--aws")) {
  const { register } = await import("tsx/esm/api");
  register();
  await import("./main.ts");
} else {
  await import(pathToFileURL(await bundled()).href);
}

/** Bundles the router and the thread of its store. Returns the file of the router. */
async function bundled() {
  const { build } = await import("esbuild");
  const folder = join(here, "../node_modules/.cache/tagwire/start");
  const { outputFiles } = await build({
    entryPoints: { main: join(here, "main.ts"), worker: join(here, "engine/store/worker.ts") },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["libsql", "esbuild", "./twin/start.ts"],
    // What is CommonJS in a bundle looks for the modules of Node so.
    banner: {
      js: 'import { createRequire as require_ } from "node:module"; const require = require_(import.meta.url);',
    },
    plugins: [{ name: "page", setup: keepPlaceOfPage }],
    write: false,
  });
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles) {
    // Whole or not at all: another process may read it now.
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, contents);
    renameSync(unfinished, path);
  }
  return join(folder, "main.mjs");
}

/** The page is made of files beside this source. */
function keepPlaceOfPage({ onLoad }) {
  onLoad({ filter: /page[\\/]assets\.ts$/ }, ({ path }) => ({
    contents: readFileSync(path, "utf8").replaceAll(
      "import.meta.url",
      JSON.stringify(pathToFileURL(path).href),
    ),
    loader: "ts",
  }));
}
