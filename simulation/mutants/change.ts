import type { MessageQueue, Receipts, Sockets, Streams, Subscriptions } from "../../shared/ports.ts";
import type { Mutant } from "../world/mutant.ts";
import type { Ports, Tables } from "../world/ports.ts";
import type { Simulation } from "../world/world.ts";

type PortChange = NonNullable<Mutant["ports"]>;
type TableChange = NonNullable<Mutant["tables"]>;

export const receipts =
  (change: (receipts: Receipts) => Partial<Receipts>): PortChange =>
  (ports) => ({ receipts: { ...ports.receipts, ...change(ports.receipts) } });

export const queue =
  (change: (queue: MessageQueue) => Partial<MessageQueue>): PortChange =>
  (ports) => ({ queue: { ...ports.queue, ...change(ports.queue) } });

export const sockets =
  (change: (sockets: Pick<Sockets, "send" | "probe">) => Partial<Sockets>): PortChange =>
  (ports) => ({ sockets: { ...ports.sockets, ...change(ports.sockets) } });

export const receiptTable =
  (change: (receipts: Receipts, world: Simulation) => Partial<Receipts>): TableChange =>
  (tables, world) => ({ receipts: { ...tables.receipts, ...change(tables.receipts, world) } });

export const listTable =
  (change: (lists: Subscriptions, world: Simulation) => Partial<Subscriptions>): TableChange =>
  (tables: Tables, world) => ({
    subscriptions: { ...tables.subscriptions, ...change(tables.subscriptions, world) },
  });

/** Bugs of streams show where nothing else is going on. */
export const IN_STREAMS = { streams: "only" } as const;

/** What runs see. */
export const streamPort =
  (change: (streams: Streams, ports: Ports, world: Simulation) => Partial<Streams>): PortChange =>
  (ports, world, actor) =>
    actor.end === undefined ? {} : { streams: { ...ports.streams, ...change(ports.streams, ports, world) } };

/** What functions that answer clients see. */
export const readPort =
  (change: (streams: Streams, world: Simulation) => Partial<Streams>): PortChange =>
  (ports, world, actor) =>
    actor.end === undefined ? { streams: { ...ports.streams, ...change(ports.streams, world) } } : {};
