import { backoff } from "../../backoff.ts";
import { TagwireError } from "../../protocol/errors.ts";
import { isDue } from "../../streams/life.ts";
import { blockerAt, emptyRowAfter, endOf, isBlocker, rootAfter } from "../../streams/row.ts";
import type { Retention, StreamName, StreamRow } from "../../streams/stream.ts";
import { currentHead, type Head, type StreamDeps } from "./head.ts";

/** Milliseconds before another look at a row that was in the way, with full jitter. */
export const PAUSE = { base: 5, cap: 60 };

/** Looks at a stream that others start at the same time. */
const LOOKS = 20;

/**
 * Returns the head of a stream, and starts the stream if no head counts. Writes nothing if one counts. Throws
 * TABLE_UNAVAILABLE if others keep changing the start.
 */
export async function startedHead(
  deps: StreamDeps,
  stream: StreamName,
  retention: Retention,
): Promise<StreamRow> {
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await deps.clock.pause(backoff(look - 1, PAUSE, deps.random()));
    const head = await currentHead(deps, stream);
    if (head.kind === "head") return head.row;
    const root = await start(deps, stream, retention, head);
    if (root !== undefined) return root;
  }
  throw new TagwireError("TABLE_UNAVAILABLE", `the start of stream ${stream} keeps changing`);
}

/**
 * Makes sure that a subscriber's position is real and stays so: starts the stream if no head counts, and appends a
 * number without data if the head stops counting soon. Returns the number of the last message.
 */
export async function ensureStarted(
  deps: StreamDeps,
  stream: StreamName,
  retention: Retention,
): Promise<number> {
  return endOf(await renewedHead(deps, stream, retention));
}

/** The same, but returns the row. */
export async function renewedHead(
  deps: StreamDeps,
  stream: StreamName,
  retention: Retention,
): Promise<StreamRow> {
  const head = await startedHead(deps, stream, retention);
  if (!isDue(head, deps.clock.now())) return head;
  const empty = emptyRowAfter(head, { now: deps.clock.now(), retention });
  const inTheWay = await deps.streams.append(stream, empty);
  // A row in the way is younger than the head.
  if (inTheWay && !isBlocker(inTheWay)) return inTheWay;
  return inTheWay ? startedHead(deps, stream, retention) : empty;
}

/** Blocks the old end, then writes the root. Returns undefined if others were faster. */
async function start(
  { streams, clock }: StreamDeps,
  stream: StreamName,
  retention: Retention,
  { remains, rootNext, isBlocked }: Extract<Head, { kind: "none" }>,
): Promise<StreamRow | undefined> {
  const writing = { now: clock.now(), retention };
  let expiresAt = remains.expiresAt;
  if (remains.next !== undefined && !isBlocked) {
    const blocker = blockerAt(remains.next, remains, writing);
    const inTheWay = await streams.append(stream, blocker);
    if (inTheWay && !isBlocker(inTheWay)) return undefined;
    expiresAt = (inTheWay ?? blocker).expiresAt;
  }
  const root = rootAfter({ ...remains, expiresAt }, writing);
  return (await streams.start(stream, root, rootNext)) ? root : undefined;
}
