import type { Streams } from "../../shared/ports.ts";
import { isBlocker } from "../../shared/streams/row.ts";
import type { Retention, StreamRow } from "../../shared/streams/stream.ts";
import type { Mutant } from "../world/mutant.ts";
import type { Simulation } from "../world/world.ts";
import { IN_STREAMS as IN, readPort } from "./change.ts";

/** They show on later days, whatever happened before. */
const LATER = { ...IN, messages: 2 } as const;

const HOUR = 3_600_000;
/** Hours before its time to live at which a head stops counting, and for which a row is kept after its messages. */
const [MARGIN, KEPT] = [6 * HOUR, 24 * HOUR];

/** Rows as they are, but that whoever reads one as a head takes its last hours for hours that count. */
const longLived = ({ last, root, append, start }: Streams): Partial<Streams> => {
  const longer = (row: StreamRow | undefined) => row && { ...row, expiresAt: row.expiresAt + MARGIN };
  const real = (row: StreamRow): StreamRow => {
    const least = Math.ceil((row.until + KEPT) / 1_000) * 1_000;
    return { ...row, expiresAt: Math.max(row.expiresAt - MARGIN, least) };
  };
  return {
    last: async (stream) => longer(await last(stream)),
    root: async (stream) => longer(await root(stream)),
    append: async (stream, row) => longer(await append(stream, real(row))),
    start: (stream, row, seen) => start(stream, real(row), seen),
  };
};

/** Takes a row without numbers for no row. */
const overBlockers =
  ({ append }: Streams, { tables: { streams } }: Simulation): Streams["append"] =>
  async (stream, row) => {
    const there = streams.rowsOf(stream).find(({ seq }) => seq === row.seq);
    if (there && isBlocker(there) && !isBlocker(row)) {
      streams.expire(Number.POSITIVE_INFINITY, (old) => old.seq === there.seq && isBlocker(old));
    }
    return append(stream, row);
  };

/** Numbers that are not there come as numbers without data. */
const filled =
  ({ read }: Streams): Streams["read"] =>
  async (stream, from, to) => {
    const found = await read(stream, from, to);
    const rows = found.rows.flatMap((row, i) => {
      const next = found.rows[i - 1]?.next ?? from;
      const missing = Math.min(row.seq - next, 10_000);
      return missing > 0
        ? [{ ...row, seq: next, next: row.seq, messages: Array<string>(missing).fill("") }, row]
        : [row];
    });
    return { ...found, rows };
  };

/** The number before the oldest one that is kept comes as a number without data. */
const oneMore =
  ({ read }: Streams, { scheduler }: Simulation): Streams["read"] =>
  async (stream, from, to) => {
    const found = await read(stream, from, to);
    const isKept = ({ until, messages }: StreamRow) =>
      scheduler.now() < until || messages.every((frame) => frame === "");
    const rows = found.rows.slice(found.rows.findLastIndex((row) => !isKept(row)) + 1);
    const [oldest] = rows;
    if (!oldest || oldest.seq <= from || isBlocker(oldest)) return { ...found, rows };
    const before = { ...oldest, seq: oldest.seq - 1, next: oldest.seq, messages: [""] };
    return { ...found, rows: [before, ...rows] };
  };

const oneLess = <R extends Retention>(retention: R): R => ({ ...retention, count: retention.count - 1 });

/** The oldest of what is asked for counts as kept, although its time is over. */
const filtered =
  ({ read }: Streams, { scheduler }: Simulation): Streams["read"] =>
  async (stream, from, to) => {
    const found = await read(stream, from, to);
    const rows = found.rows.map((row) =>
      row.until <= scheduler.now() ? { ...row, messages: row.messages.map(() => "") } : row,
    );
    return { ...found, rows };
  };

/** Bugs that show when heads stop counting and rows are deleted. */
export const STREAM_ROWS = {
  "head-to-its-end": {
    why: "a head counts until its time to live is over",
    tables: ({ streams }) => ({ streams: { ...streams, ...longLived(streams) } }),
    in: LATER,
    seed: 11,
  },
  "blocker-grows": {
    why: "a run appends in the place of a blocker",
    tables: ({ streams }, world) => ({ streams: { ...streams, append: overBlockers(streams, world) } }),
    in: LATER,
    seed: 81,
  },
  "hole-ignored": {
    why: "a walk over rows does not mind a hole",
    ports: readPort((streams) => ({ read: filled(streams) })),
    in: LATER,
    seed: 13,
  },
  "recovered-one-off": {
    why: "a client that has missed the number before the oldest kept one is told that it missed nothing",
    ports: readPort((streams, world) => ({ read: oneMore(streams, world) })),
    in: LATER,
    seed: 11,
  },
  "recovered-one-short": {
    why: "a client that has missed all that is kept and nothing more is told that it missed something",
    seed: 11,
    kept: ({ streams, userStreams }) => ({
      streams: streams.map(oneLess),
      userStreams: userStreams && oneLess(userStreams),
    }),
    in: IN,
  },
  "recovered-at-oldest": {
    why: "what is past its time is left out, and the client is told that it missed nothing",
    ports: readPort((streams, world) => ({ read: filtered(streams, world) })),
    in: IN,
  },
} as const satisfies Record<string, Mutant>;
