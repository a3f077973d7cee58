import type { Router, StartOptions } from "../../local/options.ts";
import { start } from "../../local/start.ts";
import { patient } from "./patient.ts";
import { startUnkind } from "./unkind.ts";

export type StartRouter = (options?: StartOptions) => Promise<Router>;

/** The two ways to run the pipeline. */
export const RUNTIMES: readonly (readonly [string, StartRouter])[] = [
  ["in an emulated account", startUnkind],
  ["on one machine", (options = {}) => start({ ...options, settings: patient(options.settings) })],
];
