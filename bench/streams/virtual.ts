import type { Clock, Streams } from "../../shared/ports.ts";
import type { StreamRow } from "../../shared/streams/stream.ts";
import { dice } from "../../simulation/world/dice.ts";
import { type Scheduler, scheduler } from "../../simulation/world/scheduler.ts";
import { memoryStreams } from "../../testing/memory/streams.ts";
import type { Units } from "../server/table.ts";

/** What runs do to a table, on a clock that jumps from one wait to the next. */
export interface VirtualTable {
  readonly time: Scheduler;
  readonly clock: Clock;
  readonly random: () => number;
  readonly streams: Streams;
  /** What was consumed so far; `conflicts` are puts that another row was in the way of. */
  readonly used: Units & { readonly calls: number; readonly puts: number; readonly conflicts: number };
}

const START = Date.parse("2026-01-01T00:00:00Z");

/** A table in memory whose calls take `callMilliseconds`: half of it until they take effect, half of it back. */
export function virtualTable(callMilliseconds: number, seed: string): VirtualTable {
  const { next: random } = dice(seed);
  const time = scheduler(dice(`${seed} ties`), START);
  const memory = memoryStreams();
  const used = { read: 0, write: 0, calls: 0, puts: 0, conflicts: 0 };

  const timed = async <T>(call: () => Promise<T>): Promise<T> => {
    used.calls++;
    await time.sleep(callMilliseconds / 2);
    const result = await call();
    await time.sleep(callMilliseconds / 2);
    return result;
  };
  const isRead = async <T>(call: () => Promise<T>, bytesOf: (result: T) => number): Promise<T> => {
    const result = await call();
    used.read += Math.max(1, Math.ceil(bytesOf(result) / 4_096));
    return result;
  };
  const one = (row: StreamRow | undefined) => (row ? bytesIn(row) : 0);
  const wrote = (...rows: readonly (StreamRow | undefined)[]) => {
    used.puts++;
    used.write += Math.max(1, Math.ceil(Math.max(...rows.map(one)) / 1_024));
  };
  const streams: Streams = {
    last: (stream) => timed(() => isRead(() => memory.last(stream), one)),
    root: (stream) => timed(() => isRead(() => memory.root(stream), one)),
    read: (stream, from, to) =>
      timed(() =>
        isRead(
          () => memory.read(stream, from, to),
          ({ rows }) => rows.reduce((sum, row) => sum + bytesIn(row), 0),
        ),
      ),
    append: (stream, row) =>
      timed(async () => {
        const inTheWay = await memory.append(stream, row);
        // A put that fails is billed by the larger of the two rows (DynamoDB: read and write operations).
        wrote(row, inTheWay);
        if (inTheWay) used.conflicts++;
        return inTheWay;
      }),
    start: (stream, root, seen) =>
      timed(async () => {
        wrote(root);
        return memory.start(stream, root, seen);
      }),
    empty: (stream, place) => timed(() => memory.empty(stream, place)),
  };
  const clock: Clock = { now: time.now, monotonic: () => time.now() - START, pause: time.sleep };
  return { time, clock, random, streams, used };
}

/** Names, numbers and the name of the stream, by the sizes of DynamoDB's data types. */
const ROW_BYTES = 120;

const bytesIn = ({ messages }: StreamRow): number =>
  messages.reduce((sum, message) => sum + Buffer.byteLength(message) + 1, ROW_BYTES);
