import { ENGINE_LIMITS } from "./limits.ts";
import { type MachineOptions, machine } from "./machine/machine.ts";
import { type Router, type StartOptions, startOn } from "./router.ts";

/** Starts a router on this machine. */
export const start = (options: StartOptions & MachineOptions = {}): Promise<Router> =>
  startOn(machine(options), options, ENGINE_LIMITS);
