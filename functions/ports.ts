import type { Clock, Random, RunTelemetry, Streams, Subscriptions } from "../shared/ports.ts";
import type { Settings } from "../shared/settings/schema.ts";

/** What every handler stands on. */
export interface HandlerPorts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  /** Returns the telemetry of a run that begins. */
  readonly telemetry: () => RunTelemetry;
}

/** What a handler stands on that reads the tag lists. */
export interface SubscriptionPorts {
  /** Returns the lists. `patience` returns how many milliseconds are left to try again what they leave undone. */
  readonly subscriptions: (patience: () => number) => Subscriptions;
}

/** What a handler stands on that reads streams. */
export interface StreamPorts {
  /** @default no stream is kept */
  readonly streams?: Streams;
}

/** How much time a run has left. */
export interface RunContext {
  getRemainingTimeInMillis(): number;
}
