import type { StreamName, StreamRow } from "../../shared/streams/stream.ts";
import { SKEW } from "../world/network.ts";
import { contentOf } from "./content.ts";
import type { History } from "./history.ts";
import { type Logged, logOf, type StreamLog } from "./stream-log.ts";

/** What a client was told, from its first position in a stream to its end, over all its sockets and pages. */
export interface Follower {
  readonly name: string;
  readonly stream: StreamName;
  /** The true time at which it first had a position. Undefined until then. */
  since?: number;
  /** Numbers whose handler has returned. */
  readonly done: Set<number>;
  /** Numbers that a gap excuses: above `since`, up to `position`. */
  readonly gaps: { readonly since: number; readonly position: number }[];
}

export interface StreamWatch {
  /** The table took a row. */
  appended(stream: StreamName, row: StreamRow): void;
  started(stream: StreamName, root: StreamRow): void;
  emptied(stream: StreamName, number: number): void;
  /** A client was given a message, as the last one that it has been given was `before`. */
  handedOn(follower: Follower, frame: Readonly<Record<string, unknown>>, before: number): void;
  /** A client was told of a gap. */
  gapped(follower: Follower, since: number, position: number): void;
  /** A page was loaded again, and begins at a position that the one before gave out. */
  reloaded(follower: Follower, position: number): void;
  /** Nothing moves any more, and the client is subscribed. */
  judgeFollower(follower: Follower, position: number | undefined): void;
}

/** Rules on streams, by a log of what the table took and by what clients were told. */
export function watchStreams(book: History): StreamWatch {
  const logs = new Map<StreamName, StreamLog>();
  const at = (stream: StreamName): StreamLog => {
    const log = logs.get(stream) ?? logOf();
    logs.set(stream, log);
    return log;
  };

  const missing = ({ stream, since = 0, done, gaps }: Follower, upTo: number): Logged | undefined =>
    at(stream).numbers.find(
      ({ number, frame, writtenAt }) =>
        frame !== "" &&
        number <= upTo &&
        writtenAt > since &&
        !done.has(number) &&
        !gaps.some((gap) => gap.since < number && number <= gap.position),
    );

  return {
    appended(stream, { seq, messages, until }) {
      const log = at(stream);
      for (const [i, frame] of messages.entries()) {
        const number = seq + i;
        const last = log.numbers.at(-1)?.number ?? 0;
        if (number <= last) book.violate("numbers of a stream go up", `${number} of ${stream} after ${last}`);
        const start = Math.max(0, ...log.starts);
        if (number < start)
          book.violate("numbers of a stream go up", `${number} of ${stream} after its start at ${start}`);
        if (number !== last + 1 && !log.starts.has(number)) {
          book.violate("a number follows the last one or a start", `${number} of ${stream} after ${last}`);
        }
        log.numbers.push({ number, frame, until, writtenAt: book.now() });
        const record = frame === "" ? undefined : recordIn(book, frame);
        if (!record) continue;
        // One that is redriven when its stream has forgotten it is a new one there.
        if (record.seq !== undefined && isThere(book, stream, record.seq)) {
          book.violate(
            "a message is appended once",
            `${record.id} is ${record.seq} and ${number} of ${stream}`,
          );
        }
        record.seq = number;
        record.audience.widen(book.gateway.sockets);
      }
    },
    started(stream, { next }) {
      const log = at(stream);
      const last = Math.max(log.numbers.at(-1)?.number ?? 0, ...log.starts);
      if (next <= last)
        book.violate("a stream starts above what was there", `${stream} at ${next}, after ${last}`);
      log.starts.add(next);
    },
    emptied(stream, number) {
      const log = at(stream);
      const index = log.numbers.findIndex((one) => one.number === number);
      const found = log.numbers[index];
      if (!found || found.frame === "") return;
      const record = recordIn(book, found.frame);
      const expiresAt = record?.message?.expiresAt ?? Number.POSITIVE_INFINITY;
      if (record && !record.cancelAsked && book.now() + SKEW < expiresAt) {
        book.violate("only a message that was cancelled or has expired loses its data", record.id);
      }
      log.numbers[index] = { ...found, frame: "" };
      log.emptied.set(number, found.frame);
    },
    handedOn({ name, stream }, { seq, ...rest }, before) {
      const number = Number(seq);
      const what = `${name}: ${number} of ${stream} after ${before}`;
      if (number <= before) book.violate("messages of a stream come in order, once", what);
      const log = at(stream);
      const found = log.numbers.find((one) => one.number === number);
      const frame = log.emptied.get(number) ?? found?.frame;
      if (frame === undefined || !isSame(JSON.parse(frame), rest)) {
        book.violate("a number is of one message", `${what}: ${JSON.stringify(rest)} instead of ${frame}`);
      }
    },
    gapped({ name, stream, gaps }, since, position) {
      if (isKept(book, at(stream), stream, since)) {
        book.violate("a gap is real", `${name}: ${stream} from ${since} to ${position}`);
      }
      gaps.push({ since, position });
    },
    reloaded(follower, position) {
      const lost = missing(follower, position);
      if (lost) {
        const what = `${follower.name}: ${lost.number} of ${follower.stream}, and stands at ${position}`;
        book.violate("a position is given out after its handler has returned", what);
      }
    },
    judgeFollower(follower, position) {
      const { name, stream } = follower;
      const lost = missing(follower, Number.POSITIVE_INFINITY);
      const what = `${name}, which stands at ${position}, never got ${lost?.number} of ${stream}`;
      if (lost) book.violate("every number comes, or a gap is told", what);
    },
  };
}

const isThere = ({ rowsOf }: History, stream: StreamName, number: number): boolean =>
  rowsOf(stream).some(({ seq, next }) => seq > 0 && seq <= number && number < next);

const recordIn = ({ records }: History, frame: string) =>
  records[contentOf((JSON.parse(frame) as { data: unknown }).data).number];

/** Members in any order. */
const isSame = (one: object, other: object): boolean =>
  JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

/** Hours before its time to live after which a head no longer counts (DESIGN: 6). */
const MARGIN = 6 * 3_600_000;

/**
 * Whether a client that stands at `since` can have all that follows, by every clock: the numbers are there without a
 * hole up to a head that counts, none is past its time, and there are not too many.
 */
function isKept(book: History, log: StreamLog, stream: StreamName, since: number): boolean {
  const { rowsOf, now, settings } = book;
  const end = Math.max(log.numbers.at(-1)?.number ?? 0, ...[...log.starts].map((next) => next - 1));
  const { count } = (stream.startsWith("user:") ? settings.userStreams : settings.streams[0]) ?? { count: 0 };
  if (since > end || since < end - count) return false;
  const after = log.numbers.filter(({ number }) => number > since);
  const head = rowsOf(stream).find(({ seq, next }) => next === end + 1 && seq !== next);
  return (
    head !== undefined &&
    now() + 2 * SKEW < head.expiresAt - MARGIN &&
    after.every(({ number }, i) => number === since + 1 + i) &&
    since + after.length === end &&
    after.every(({ number }) => isThere(book, stream, number)) &&
    after.every(({ frame, until }) => frame === "" || now() + 2 * SKEW < until)
  );
}
