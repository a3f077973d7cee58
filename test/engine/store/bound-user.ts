import { spawnSync } from "node:child_process";

/** Nobody, on Linux and macOS. */
const NOBODY = 65_534;

/**
 * Returns how to start a process to which a folder can be read-only: as it is, or as nobody for root, to whom nothing is.
 * Undefined where that cannot be shown: on Windows, which has no such bits, and where nobody may not run Node or read the
 * program.
 */
export function boundUser(program: string): { readonly uid?: number; readonly gid?: number } | undefined {
  if (process.platform === "win32") return undefined;
  if (process.getuid?.() !== 0) return {};
  const nobody = { uid: NOBODY, gid: NOBODY };
  return spawnSync(process.execPath, ["--check", program], nobody).status === 0 ? nobody : undefined;
}
