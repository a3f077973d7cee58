/** The door `tagwire/testing`: a router in the process of a test, and the spy that looks into it. */

export type { Router, StartOptions } from "./options.ts";
export { start } from "./start.ts";
export type { RouterEvent } from "./testing/observer.ts";
export type { Spy, Waiting } from "./testing/spy.ts";
