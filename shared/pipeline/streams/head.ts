import type { Clock, Random, Streams } from "../../ports.ts";
import { counts } from "../../streams/life.ts";
import { endOf, isBlocker, type Remains, ROOT } from "../../streams/row.ts";
import type { StreamName, StreamRow } from "../../streams/stream.ts";
import type { Heads } from "./heads.ts";

export interface StreamDeps {
  readonly streams: Streams;
  readonly clock: Clock;
  readonly random: Random;
  /** What this container knows of heads. Without it every append reads the head first. */
  readonly heads?: Heads;
}

/** The row after which a stream goes on, or what is left of a stream that has to be started. */
export type Head =
  | { readonly kind: "head"; readonly row: StreamRow }
  | {
      readonly kind: "none";
      readonly remains: Remains;
      /** `next` of the root that is there. */
      readonly rootNext?: number;
      /** Whether a blocker stands at the end of the remains. */
      readonly isBlocked: boolean;
    };

/** Reads the head: one read, and a second one of the root if the last row is a blocker or no longer counts. */
export async function currentHead({ streams, clock, heads }: StreamDeps, stream: StreamName): Promise<Head> {
  const last = await streams.last(stream);
  const found = (row: StreamRow): Head => {
    heads?.looked(stream, row);
    return { kind: "head", row };
  };
  if (last === undefined) return { kind: "none", remains: { expiresAt: 0 }, isBlocked: false };
  if (!isBlocker(last) && counts(last, clock.now())) return found(last);
  const root = last.seq === ROOT ? last : await streams.root(stream);
  if (root === undefined) return { kind: "none", remains: last, isBlocked: isBlocker(last) };
  if (root.next > last.next && counts(root, clock.now())) return found(root);
  const next = Math.max(root.next, last.next);
  return {
    kind: "none",
    remains: { next, expiresAt: Math.max(root.expiresAt, last.expiresAt) },
    rootNext: root.next,
    isBlocked: isBlocker(last) && last.seq === next,
  };
}

/**
 * For a claim: returns a number that the stream had lately, from which a run that takes over would look. Undefined if no
 * head counts. Reads the head unless the container has learnt it within the last second.
 */
export async function knownHead(deps: StreamDeps, stream: StreamName): Promise<number | undefined> {
  return deps.heads?.known(stream) ?? (await headOf(deps, stream));
}

/** Returns the number of a stream's last message. Returns undefined if no head counts. Starts nothing. */
export async function headOf(deps: StreamDeps, stream: StreamName): Promise<number | undefined> {
  const head = await currentHead(deps, stream);
  return head.kind === "head" ? endOf(head.row) : undefined;
}
