import type { MessageQueue, Receipts, Sockets, Subscriptions } from "../../shared/ports.ts";
import type { Mutant } from "../world/mutant.ts";
import type { Tables } from "../world/ports.ts";
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
