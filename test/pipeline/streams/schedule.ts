import { expect } from "vitest";
import { append } from "../../../shared/pipeline/streams/append.ts";
import type { StreamDeps } from "../../../shared/pipeline/streams/head.ts";
import { rememberedHeads } from "../../../shared/pipeline/streams/heads.ts";
import { readHistory, readSince, type StreamReply } from "../../../shared/pipeline/streams/read.ts";
import { ensureStarted } from "../../../shared/pipeline/streams/start.ts";
import type { Streams } from "../../../shared/ports.ts";
import type { StreamRow } from "../../../shared/streams/stream.ts";
import { memoryClock } from "../../../testing/memory/clock.ts";
import { memoryStreams } from "../../../testing/memory/streams.ts";
import { seeded } from "../../../testing/random.ts";
import { interleave, type Stepwise } from "../../support/interleave.ts";
import { NOW } from "../../support/message.ts";
import { frameOf, HOUR, ORDERS } from "./support.ts";

/** A number that was written, as the table took it. */
interface Written {
  readonly number: number;
  /** The id of its message; undefined without data. */
  readonly id: string | undefined;
  /** When it is no longer given out. */
  readonly until: number;
}

/** What random schedules met, so that a test can tell that they were not all of one kind. */
export interface Met {
  recovered: number;
  lost: number;
  conflicts: number;
  restarts: number;
  paged: number;
}

/** Changes the code under test, to show that the check finds it. */
export type Change = (deps: StreamDeps) => StreamDeps;

const CONTAINERS = 3;
const BUDGET = 400;

/**
 * Runs, subscribers and time to live on one stream in a random order of single calls, on clocks that differ by up to a
 * minute. Holds all that was read against the log of what the table took.
 */
export async function runSchedule(seed: number, met: Met, change: Change = (deps) => deps): Promise<void> {
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const clock = memoryClock(NOW);
  const memory = memoryStreams();
  const log: Written[] = [];
  const starts = new Set<number>();
  const hoursKept = 1 + below(3);
  const retention = { seconds: 3_600 * hoursKept, count: 5 + below(20) };
  const pauses = [0, 0, 0, 0.5, 1, 5, 7, 13, 18 + hoursKept, 18 + hoursKept, 26, 60];

  const logged: Streams = {
    ...memory,
    append: async (stream, row) => {
      const inTheWay = await memory.append(stream, row);
      if (inTheWay) met.conflicts++;
      else note(row);
      return inTheWay;
    },
    start: async (stream, root, seen) => {
      const written = await memory.start(stream, root, seen);
      if (written) {
        expect(root.next).toBeGreaterThan(log.at(-1)?.number ?? 0);
        if (starts.size > 0) met.restarts++;
        starts.add(root.next);
      }
      return written;
    },
  };
  /** Numbers are written in their order, and each follows the last one or a start. */
  const note = ({ seq, messages, until }: StreamRow) => {
    for (const [i, frame] of messages.entries()) {
      const number = seq + i;
      const last = log.at(-1)?.number ?? 0;
      expect(number, "numbers go up").toBeGreaterThan(last);
      expect(number === last + 1 || starts.has(number), "a number follows the last or a start").toBe(true);
      log.push({ number, id: frame === "" ? undefined : (JSON.parse(frame) as { id: string }).id, until });
    }
  };

  const skews = Array.from({ length: CONTAINERS }, () => below(120_000) - 60_000);
  const memories = skews.map(() => rememberedHeads(clock));
  const depsOf = (container: number, stepwise: Stepwise): StreamDeps =>
    change({
      streams: stepwise(logged),
      clock: { ...clock, now: () => clock.now() + (skews[container] ?? 0) },
      random,
      ...(memories[container] ? { heads: memories[container] } : {}),
    });
  let count = 0;
  const positions: number[] = [];

  const appending = (container: number) => async (stepwise: Stepwise) => {
    const ids = Array.from({ length: 1 + below(12) }, () => `m${count++}`);
    const frames = ids.map((id) => (below(8) === 0 ? "" : frameOf(id)));
    const run = { id: `run-${count}`, end: clock.now() + 600_000 };
    const numbers = await append(depsOf(container, stepwise), ORDERS, retention, run, frames);
    expect(numbers).toHaveLength(frames.length);
    for (const [i, number] of numbers.entries()) {
      const id = frames[i] === "" ? undefined : ids[i];
      expect(log.find((entry) => entry.number === number)?.id).toBe(id);
    }
  };
  const starting = (container: number) => async (stepwise: Stepwise) => {
    positions.push(await ensureStarted(depsOf(container, stepwise), ORDERS, retention));
  };
  const reading = (container: number) => async (stepwise: Stepwise) => {
    const deps = depsOf(container, stepwise);
    const known = positions[below(positions.length)] ?? 0;
    const since = known + (below(6) === 0 ? below(5) - 2 : 0);
    const wasKept = isKept(since);
    const appendedBefore = log.at(-1)?.number ?? 0;
    let reply = await readSince(deps, ORDERS, retention, since, BUDGET);
    if (!reply.recovered) {
      met.lost++;
      expect(reply).toMatchObject({ messages: [], more: false });
      expect(wasKept && isKept(since), "a loss is real").toBe(false);
    } else {
      met.recovered++;
      checkReply(since, reply);
    }
    for (let position = reply.position; reply.more; position = reply.position) {
      met.paged++;
      reply = await readHistory(deps, ORDERS, retention, position, BUDGET);
      expect(reply.position > position || reply.gap).toBe(true);
      if (!reply.gap) checkReply(position, reply);
    }
    expect(reply.position, "a read reaches what was appended before it").toBeGreaterThanOrEqual(
      appendedBefore,
    );
    positions.push(reply.position);
  };
  /** All that was written after `since` and up to the position, and nothing else. */
  const checkReply = (since: number, { messages, position }: StreamReply) => {
    for (const { seq } of messages) {
      const { until = 0 } = log.find(({ number }) => number === seq) ?? {};
      expect(until, "no message is given out after its time").toBeGreaterThan(clock.now() - 61_000);
    }
    const between = log.filter(({ number }) => since < number && number <= position);
    const expected = between.flatMap(({ number, id }) => (id === undefined ? [] : [[number, id]]));
    const got = messages.map(({ seq, frame }) => [seq, (JSON.parse(frame) as { id: string }).id]);
    expect(got, "all of a stream, once, in order").toEqual(expected);
    expect(between.map(({ number }) => number)).toEqual(between.map((_, i) => since + 1 + i));
  };
  /** Whether a subscriber could have had everything after the position at any clock, without a doubt. */
  const isKept = (since: number): boolean => {
    const end = Math.max(log.at(-1)?.number ?? 0, Math.max(0, ...starts) - 1);
    const after = log.filter(({ number }) => number > since);
    const dense = after.every(({ number }, i) => number === since + 1 + i);
    const rows = memory.rowsOf(ORDERS);
    const there = after.every(({ number }) => rows.some(({ seq, next }) => seq <= number && number < next));
    const young = after.every(({ id, until }) => id === undefined || until > clock.now() + 60_000);
    const isReal = since === end ? rows.some(({ next }) => next === since + 1) : after.length > 0;
    const heads = rows.filter(({ seq, next }) => seq !== next && next === end + 1);
    const counted = heads.some(({ expiresAt }) => clock.now() + 60_000 < expiresAt - 6 * HOUR);
    return isReal && counted && dense && there && young && since >= end - retention.count && since <= end;
  };

  for (let round = 0; round < 12; round++) {
    const actors = Array.from({ length: 1 + below(3) }, () => {
      const container = below(CONTAINERS);
      return [appending, appending, starting, reading][below(4)]?.(container) ?? starting(container);
    });
    await interleave(actors, below);
    const hours = pauses[below(pauses.length)] ?? 0;
    // Around the moment at which a head stops counting, clocks disagree.
    clock.advance(Math.max(0, hours * HOUR - below(4) * 20_000));
    memory.expire(clock.now(), () => random() < 0.5);
  }
}
