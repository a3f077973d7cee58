import { type EngineOptions, engine } from "./engine/engine.ts";
import { ENGINE_LIMITS } from "./limits.ts";
import { type Router, type StartOptions, startOn } from "./router.ts";

/** Starts a router on this machine. */
export const start = (options: StartOptions & EngineOptions = {}): Promise<Router> =>
  startOn(engine(options), options, ENGINE_LIMITS);
