import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { BuildOptions } from "esbuild";

/** The files of the page, by the path that the router serves them at. */
export type Assets = ReadonlyMap<string, Asset>;

export interface Asset {
  /** Its media type. */
  readonly type: string;
  readonly text: string;
}

/** How esbuild bundles the script of the page. `tagwire/client` has no dependency, so there is nothing else in it. */
export const PAGE_BUNDLING = {
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  logLevel: "warning",
} satisfies BuildOptions;

/** Reads the page. The package brings its script bundled; in the repository it is bundled when it is first asked for. */
export function readAssets(): Assets {
  const file = (name: string) => readFileSync(path(name), "utf8");
  return new Map([
    ["/", { type: "text/html; charset=utf-8", text: file("index.html") }],
    ["/page/style.css", { type: "text/css; charset=utf-8", text: file("style.css") }],
    ["/page/script.js", { type: "text/javascript; charset=utf-8", text: scriptOf(path("app/main.ts")) }],
  ]);
}

function scriptOf(source: string): string {
  if (!existsSync(source)) return readFileSync(path("script.js"), "utf8");
  const { buildSync } = createRequire(import.meta.url)("esbuild") as typeof import("esbuild");
  const { outputFiles } = buildSync({ ...PAGE_BUNDLING, entryPoints: [source], write: false });
  return outputFiles[0]?.text ?? "";
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
