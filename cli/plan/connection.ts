import { FRAME_TOPICS } from "../../shared/protocol/limits.ts";
import type { Load } from "./load.ts";
import { LOG, OUT } from "./size.ts";
import { READ_UNIT, started, WRITE_UNIT } from "./unit.ts";

/** Something that a connection does, once or several times. */
export interface Step {
  /** Runs of the socket function. */
  readonly runs: number;
  /** Requests that count against the account's quota. */
  readonly requests: number;
  /** WebSocket messages, in and out. */
  readonly metered: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Bytes that the function writes to its log, and that leave AWS. */
  readonly logBytes: number;
  readonly outBytes: number;
}

/** What one connection leads to from its connect to its disconnect. */
export interface Visit {
  /** The connect and the disconnect, the subscribe frames, and the refreshes of its token. */
  readonly moves: Step;
  readonly pings: Step;
  /** What it writes to join and to leave, without refreshes: to its row, and to lists. */
  readonly joins: TableWrites;
  readonly leaves: TableWrites;
  /** The frames by which it subscribes. */
  readonly frames: number;
}

/** Write units in each of the two tables of connections. */
export interface TableWrites {
  readonly connections: number;
  readonly subscriptions: number;
}

/** Bytes of a connection's row without its topics, of a mark on it that a change leaves, and of a topic. */
const ROW = 260;
const MARK = 40;
const TAG = 24;
/** The tags of everyone and of its user. */
const FIXED = 2;

const rowUnits = (topics: number, marked: number) =>
  started(ROW + TAG * topics + (marked > 0 ? MARK + TAG * marked : 0), WRITE_UNIT);

/** What a connection does of a load in which each receives `framesPerSecond`. */
export function visitOf(
  load: Pick<Load, "topics" | "sessionSeconds" | "pingSeconds" | "pingsAlways" | "tokenSeconds">,
  framesPerSecond: number,
): Visit {
  const { topics, sessionSeconds, tokenSeconds } = load;
  const frames = Math.ceil(topics / FRAME_TOPICS);
  const added = Array.from({ length: frames }, (_, i) => Math.min(FRAME_TOPICS, topics - i * FRAME_TOPICS));
  // A change writes the row twice: the change with its mark, and the look at its end that takes the mark away.
  const change = (held: number, marked: number) => 2 * rowUnits(held, marked);
  const changes = added.reduce((sum, n, i) => sum + change(i * FRAME_TOPICS + n, n), 0);
  const joins = { connections: rowUnits(0, 0) + changes, subscriptions: FIXED + topics };
  const leaves = { connections: rowUnits(topics, 0), subscriptions: FIXED + topics };
  const readUnits = (held: number) => started(ROW + TAG * held, READ_UNIT);
  // Refreshed in time: the last token holds until the connection ends.
  const refreshes = tokenSeconds > 0 ? Math.ceil(sessionSeconds / tokenSeconds) - 1 : 0;
  const refresh = change(topics, topics + FIXED) + FIXED + topics;
  const answered = frames + refreshes;
  const all = ({ connections, subscriptions }: TableWrites) => connections + subscriptions;
  return {
    moves: {
      runs: 2 + answered,
      requests: 1 + answered,
      metered: 2 * answered,
      writeUnits: all(joins) + all(leaves) + refreshes * refresh,
      readUnits:
        added.reduce((sum, _, i) => sum + readUnits(i * FRAME_TOPICS), 0) + refreshes * readUnits(topics),
      logBytes: (2 + answered) * LOG.platform + (2 + frames) * LOG.socket,
      outBytes: OUT.connect + answered * OUT.reply + topics * TAG,
    },
    pings: times(pingsOf(load, framesPerSecond), {
      runs: 1,
      requests: 1,
      metered: 2,
      writeUnits: 0,
      readUnits: readUnits(topics),
      logBytes: LOG.platform,
      outBytes: OUT.reply,
    }),
    joins,
    leaves,
    frames,
  };
}

/**
 * Pings of a connection. One that pings in silence does so k × `pingSeconds` after the last frame that it heard, unless
 * another came in between. Frames come by chance at a rate f, so that they leave a gap of t seconds with the probability
 * exp(−f·t). The connect begins the first gap, and each of f × (session − t) frames one that may last t seconds.
 */
export function pingsOf(
  { sessionSeconds, pingSeconds, pingsAlways }: Pick<Load, "sessionSeconds" | "pingSeconds" | "pingsAlways">,
  framesPerSecond: number,
): number {
  if (pingSeconds === 0) return 0;
  const most = Math.ceil(sessionSeconds / pingSeconds) - 1;
  if (pingsAlways) return most;
  let pings = 0;
  for (let k = 1; k <= most; k++) {
    const silent = k * pingSeconds;
    pings += Math.exp(-framesPerSecond * silent) * (1 + framesPerSecond * (sessionSeconds - silent));
  }
  return pings;
}

const times = (count: number, step: Step): Step =>
  Object.fromEntries(Object.entries(step).map(([name, each]) => [name, count * each])) as unknown as Step;
