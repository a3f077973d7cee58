import type { Router, StartOptions } from "../options.ts";
import { startOn } from "../router.ts";
import { type TwinOptions, twin } from "./twin.ts";

/**
 * Starts the functions as they run in an account: with the AWS SDK, over emulated services in this process. For tests, and
 * for a look at what an account does.
 */
export const startTwin = (options: StartOptions & TwinOptions = {}): Promise<Router> =>
  startOn(twin(options), options);
