import type { GatewayState, SendResult } from "../../shared/ports.ts";
import type { Job } from "../../shared/receipts/job.ts";
import type { Actor } from "../world/scheduler.ts";
import { type History, recordOf } from "./history.ts";
import { nameOf, type Post } from "./message-record.ts";

export interface ContainerWatch {
  sends(actor: Actor): void;
  hears(post: Post, result: SendResult): void;
  /** A container is about to ask how the gateway is. */
  probing(actor: Actor): void;
  probed(actor: Actor, state: GatewayState): void;
  /** A run is about to claim a job. `now` is its own time. */
  claiming(actor: Actor, job: Job, now: number): void;
  /** Whether a send of its container has failed for that reason, or has had no answer for a while. */
  heard(actor: Actor, reason: string): boolean;
}

interface Container {
  /** When it sent, in the last second. */
  readonly sends: number[];
  /** Distinct connections that were not answered, since one was. */
  readonly failing: Set<string>;
  readonly reasons: Set<string>;
  /** Sends under way. */
  waiting: number;
  probe?: { readonly at: number; state?: GatewayState };
}

/** What a send says to a connection for which another send is under way. */
const WAITING = "no answer yet to an earlier frame";

/** Distinct connections in a row that tell a container that the gateway is down (docs/guarantees.md). */
const IN_A_ROW = 5;
/** Seconds of which the unused sends may be made at once. */
const BURST = 0.25;
const LEAST = 10;
const SECOND = 1_000;

/** Rules on what a container does with the gateway: its rate, and what it does while the gateway is down. */
export function watchContainers(book: History): ContainerWatch {
  const { quotaRequestsPerSecond, quotaFraction } = book.settings;
  const most = Math.max(LEAST, quotaRequestsPerSecond * quotaFraction) * (1 + BURST) + 1;
  const containers = new Map<number, Container>();
  const containerOf = ({ container = 0 }: Actor): Container => {
    const known = containers.get(container) ?? {
      sends: [],
      failing: new Set(),
      reasons: new Set(),
      waiting: 0,
    };
    containers.set(container, known);
    return known;
  };

  return {
    sends(actor) {
      const container = containerOf(actor);
      const { sends } = container;
      container.waiting++;
      sends.push(book.now());
      while ((sends[0] ?? 0) <= book.now() - SECOND) sends.shift();
      if (sends.length <= most) return;
      const what = `${actor.name} sends ${sends.length} times in a second; it may ${most} times`;
      book.violate("a container stays within its share of the quota", what);
    },
    hears({ actor, id }, result) {
      const { kind } = result;
      const container = containerOf(actor);
      const { failing, reasons } = container;
      container.waiting--;
      if ("reason" in result) reasons.add(result.reason);
      if (kind === "unavailable") failing.add(id);
      else failing.clear();
    },
    probing(actor) {
      const container = containerOf(actor);
      if (container.probe && book.now() - container.probe.at < SECOND) {
        book.violate("a container probes at most once a second", actor.name);
      }
      container.probe = { at: book.now() };
    },
    probed(actor, state) {
      const { probe } = containerOf(actor);
      if (probe) probe.state = state;
    },
    claiming(actor, job, now) {
      const { failing, probe } = containerOf(actor);
      if (failing.size < IN_A_ROW || probe?.state !== "down") return;
      const record = recordOf(book, job);
      if (!record || now >= job.message.expiresAt) return;
      book.violate(
        "a container that finds the gateway down claims nothing",
        `${actor.name}: ${nameOf(record)}`,
      );
    },
    heard(actor, reason) {
      const { reasons, waiting } = containerOf(actor);
      return reasons.has(reason) || (reason === WAITING && (waiting > 0 || reasons.size > 0));
    },
  };
}
