import type { Topic } from "../shared/domain/tag.ts";
import type { Backlog } from "../shared/pipeline/backlog.ts";
import type { Settings } from "../shared/settings.ts";
import type { Dice } from "./dice.ts";
import type { EventSource } from "./event-source.ts";
import type { Faults } from "./faults.ts";
import type { Gateway } from "./gateway.ts";
import type { Tables } from "./ports.ts";
import type { SimulatedQueue } from "./queue.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";
import type { Witness } from "./witness.ts";

/** All that one simulation consists of. */
export interface World {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly settings: Settings;
  readonly queue: SimulatedQueue;
  readonly source: EventSource;
  readonly gateway: Gateway;
  readonly tables: Tables;
  readonly witness: Witness;
  /** What the containers of ingest know of the lanes. */
  readonly backlog: Backlog;
  readonly topics: readonly Topic[];
  /** When clients and producers begin, and when they stop changing anything. Milliseconds since 1970. */
  readonly opening: number;
  readonly closing: number;
}
