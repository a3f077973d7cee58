import type { Receipts } from "../../shared/ports.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import type { MemoryStreams } from "../../testing/memory/streams.ts";
import type { SimulationSettings } from "../settings.ts";
import type { Gateway } from "../world/gateway.ts";
import type { Actor } from "../world/scheduler.ts";
import type { Trace } from "../world/trace.ts";
import { contentOf } from "./content.ts";
import type { MessageRecord } from "./message-record.ts";

export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

/** What is known of one producer's id. */
export interface Name {
  /** The POST whose receipt it shows now. */
  shown?: MessageRecord;
  /** A cancel that no run has met yet, by the clock of the function that wrote it. */
  cancelled?: { readonly stamp: number; readonly writtenAt: number };
}

/** What all rules read and write. */
export interface History {
  /** The true time, milliseconds since 1970. */
  readonly now: () => number;
  readonly trace: Trace;
  readonly gateway: Gateway;
  readonly settings: SimulationSettings;
  /** A receipt, as the product shows it. */
  readonly find: Receipts["find"];
  /** The rows of a stream that are there. */
  readonly rowsOf: MemoryStreams["rowsOf"];
  readonly records: MessageRecord[];
  /** Runs that received a job while a run, perhaps the same one, has its lease: see `twinOf`. */
  readonly twins: Set<string>;
  nameOf(producer: UserId, id: MessageId): Name;
  /** Notes the first broken rule; the simulation ends with it. */
  violate(rule: string, detail: string): void;
  readonly violation: Violation | undefined;
}

export function history(
  world: Pick<History, "now" | "trace" | "gateway" | "find" | "settings" | "rowsOf">,
): History {
  let violation: Violation | undefined;
  const names = new Map<string, Name>();
  return {
    ...world,
    records: [],
    twins: new Set(),
    nameOf(producer, id) {
      const key = `${producer} ${id}`;
      const name = names.get(key) ?? {};
      names.set(key, name);
      return name;
    },
    violate(rule, detail) {
      if (violation) return;
      violation = { rule, detail };
      world.trace.note("VIOLATION", rule, () => detail);
    },
    get violation() {
      return violation;
    },
  };
}

/** The POST that a job is of. */
export const recordOf = ({ records }: History, { message }: Job): MessageRecord | undefined =>
  records[contentOf(message.data).number];

/** The same for a queue body. */
export const jobIn = (body: string): Job => JSON.parse(body) as Job;

/** The name of a part of a message as one run received it. */
export const twinOf = (actor: Pick<Actor, "name">, { number }: MessageRecord, part: string): string =>
  `${actor.name} ${number} ${part}`;
