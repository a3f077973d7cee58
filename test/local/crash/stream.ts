import { expect } from "vitest";
import { LATE, type Witness } from "./audience.ts";
import type { Notes } from "./receipts.ts";
import { EXPIRING, type Posted, type Scene, STREAM } from "./scene.ts";

/** A number of the stream, and when the first client got it, in milliseconds of `performance.now()`. */
interface Entry {
  readonly seq: number;
  readonly n: number;
  readonly seenAt: number;
}

/**
 * Fails unless all clients saw the same messages of the stream under the same numbers, in order, once and without a
 * gap, and every one that was accepted. Returns what they saw.
 */
export function judgeStream(scene: Scene, witnesses: readonly Witness[], notes: Notes): ReadonlySet<number> {
  const { posted } = scene;
  /** What a failure says of messages, and of who should have seen them. */
  const told = (entries: readonly { readonly n: number }[], connected?: Witness["connected"]) =>
    entries.map((entry) => {
      const message = posted[entry.n];
      return { ...entry, message, note: notes.get(message?.id ?? ""), connected };
    });
  const entries = new Map<number, Entry>();
  for (const { user, gaps, errors, ...witness } of witnesses) {
    const stream = witness.stream.map(([seq, n, at]) => ({ seq, n, at }));
    expect(gaps, `${user}: gaps`).toEqual([]);
    expect(errors, `${user}: errors`).toEqual([]);
    expect(
      told(stream.filter(({ seq }, i) => seq <= (stream[i - 1]?.seq ?? 0))),
      `${user}: out of order`,
    ).toEqual([]);
    const firsts = new Map(stream.toReversed().map((entry) => [entry.n, entry]));
    expect(told(stream.filter((entry) => firsts.get(entry.n) !== entry)), `${user}: twice`).toEqual([]);
    expect(
      stream.filter(({ n }) => !isInStream(posted[n])),
      `${user}: never posted`,
    ).toEqual([]);
    const others = stream.filter(({ seq, n }) => (entries.get(seq)?.n ?? n) !== n);
    expect(told(others), `${user}: another message by the same number`).toEqual([]);
    for (const { seq, n, at } of stream)
      entries.set(seq, { seq, n, seenAt: Math.min(entries.get(seq)?.seenAt ?? at, at) });
  }
  for (const witness of witnesses) {
    const own = new Set(witness.stream.map(([seq]) => seq));
    const missed = [...entries.values()].filter((entry) => !own.has(entry.seq));
    const unexplained = missed.filter((entry) => !wasTakenOut(entry, posted[entry.n], witness, notes));
    expect(told(unexplained, witness.connected), `${witness.user} did not see what others saw`).toEqual([]);
  }
  const seen = new Set([...entries.values()].map(({ n }) => n));
  const lost = posted.filter((message) => {
    const { ended } = notes.get(message.id ?? "") ?? {};
    return (
      message.acceptedAt !== undefined && isInStream(message) && ended !== "expired" && !seen.has(message.n)
    );
  });
  expect(told(lost), "messages of the stream that got 202 and nobody saw").toEqual([]);
  return seen;
}

/** Fails unless the stream keeps each message that a client saw once and under its number, but for those that expired. */
export function judgeKept(
  kept: readonly (readonly [seq: number, n: number])[],
  { posted }: Scene,
  witnesses: readonly Witness[],
  notes: Notes,
): void {
  const numbers = new Map(kept.map(([seq, n]) => [n, seq]));
  expect(
    kept.filter(([seq, n]) => numbers.get(n) !== seq),
    "kept twice",
  ).toEqual([]);
  const told = new Map(witnesses.flatMap(({ stream }) => stream.map(([seq, n]) => [n, seq] as const)));
  const unkept = [...told].filter(([n, seq]) => {
    const { kind, id = "" } = posted[n] as Posted;
    const wasTaken = kind === "expiring" && (notes.get(id)?.ended ?? "expired") === "expired";
    return numbers.get(n) !== seq && !(wasTaken && !numbers.has(n));
  });
  expect(unkept, "kept otherwise than they were seen").toEqual([]);
}

const isInStream = (message: Posted | undefined): boolean =>
  message !== undefined && "topic" in message.request.target && message.request.target.topic === STREAM;

/**
 * A message that ended `expired` is taken out of its stream, and its number stays. So a client is right not to have it
 * if it was away from when the first one got it until the end of its life, or if its run was at work at that end.
 */
function wasTakenOut(
  { seenAt }: Entry,
  message: Posted | undefined,
  { connected }: Witness,
  notes: Notes,
): boolean {
  if (message?.kind !== "expiring") return false;
  // What was never answered has no id to ask by.
  if (message.id !== undefined && notes.get(message.id)?.ended !== "expired") return false;
  const end = message.at + EXPIRING.ttlSeconds * 1_000 - ROUNDED;
  return (
    seenAt >= end ||
    connected.some(
      ({ to }, i) => to <= seenAt + LATE && end <= (connected[i + 1]?.from ?? Number.POSITIVE_INFINITY),
    )
  );
}

/** The router counts whole milliseconds, and this process has another clock. */
const ROUNDED = 5;
