import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { run } from "./run.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The packed package. */
    tarball: string;
  }
}

/** Packs the package once, for all test files. */
export default async function setup({ provide }: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "tagwire-pack-"));
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder]);
  provide("tarball", join(folder, stdout.trim().split("\n").at(-1) ?? ""));
  return () => rmSync(folder, { recursive: true, force: true });
}
