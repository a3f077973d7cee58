import type { Backlog } from "../../shared/pipeline/ingest/backlog.ts";
import type { Topic } from "../../shared/protocol/tag.ts";
import type { MemoryStreams } from "../../testing/memory/streams.ts";
import type { MemorySubscriptions } from "../../testing/memory/subscriptions.ts";
import type { Oracle } from "../oracle/oracle.ts";
import type { SimulationSettings } from "../settings.ts";
import type { Dice } from "./dice.ts";
import type { EventSource } from "./event-source.ts";
import type { Faults } from "./faults.ts";
import type { Gateway } from "./gateway.ts";
import type { Invoke } from "./invoke.ts";
import type { Network } from "./network.ts";
import type { Outages } from "./outage.ts";
import type { Tables } from "./ports.ts";
import type { SimulatedQueue } from "./queue.ts";
import type { ClientBugs, Reader } from "./reader.ts";
import type { Scenario } from "./scenario.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

/** All that one simulation consists of. */
export interface Simulation {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly outages: Outages;
  readonly trace: Trace;
  readonly settings: SimulationSettings;
  readonly scenario: Scenario;
  readonly network: Network;
  readonly queue: SimulatedQueue;
  readonly source: EventSource;
  readonly gateway: Gateway;
  readonly tables: Tables & { readonly subscriptions: MemorySubscriptions; readonly streams: MemoryStreams };
  readonly oracle: Oracle;
  readonly invoke: Invoke;
  /** What the containers of ingest know of the lanes. */
  readonly backlog: Backlog;
  readonly topics: readonly Topic[];
  /** Clients that keep their place in a stream. */
  readonly readers: Reader[];
  readonly bugs: ClientBugs | undefined;
  /** When it began, and when clients and producers stop changing anything. Milliseconds since 1970. */
  readonly opening: number;
  readonly closing: number;
}
