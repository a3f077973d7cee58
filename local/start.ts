import { ENGINE_LIMITS } from "./limits.ts";
import { machine } from "./machine/machine.ts";
import type { MachineOptions, Router, StartOptions } from "./options.ts";
import { startOn } from "./router.ts";

/** Starts a router on this machine. */
export const start = (options: StartOptions & MachineOptions = {}): Promise<Router> =>
  startOn(machine(options), options, ENGINE_LIMITS);
