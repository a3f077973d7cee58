/** What a load run is: a number of sockets spread over topics, and a number of messages posted to the topics in turn. */
export interface Shape {
  readonly sockets: number;
  readonly topics: number;
  /** The most there can be. */
  readonly messages: number;
}

/** What became of a message when it was posted. unknown: the answer never came. */
export type Fate = "accepted" | "refused" | "unknown";

export interface Tally {
  readonly expected: number;
  /** Frames, repeats left out. */
  readonly received: number;
  readonly lost: number;
  readonly repeated: number;
  /** Frames that were for another topic. */
  readonly stray: number;
}

export interface Ledger {
  /** The topic of a socket, and of a message: they are dealt out in turn. */
  topicOf(number: number): number;
  posted(message: number, fate: Fate): void;
  /** Whether it is the first frame of this message on this socket. */
  arrived(socket: number, message: number): boolean;
  /** From now on nothing is expected of this socket, and it is left out of the tally. */
  cut(socket: number): void;
  /** Whether every frame has come that must. */
  isComplete(): boolean;
  tally(): Tally;
}

/** Keeps the books of a run: one bit for each message and socket of its topic. */
export function ledger({ sockets, topics, messages }: Shape): Ledger {
  const topicOf = (number: number) => number % topics;
  const bytes = Math.ceil(Math.ceil(messages / topics) / 8);
  const bits = () => new Uint8Array(bytes);
  const accepted = Array.from({ length: topics }, bits);
  const counts = new Uint32Array(topics);
  const seen = Array.from({ length: sockets }, bits);
  const received = new Uint32Array(sockets);
  const repeated = new Uint32Array(sockets);
  const cutOff = new Set<number>();
  let stray = 0;

  /** Sets the bit of a message; false where it was set. */
  const mark = (of: Uint8Array | undefined, message: number): boolean => {
    const at = Math.floor(message / topics);
    const byte = of?.[at >> 3];
    if (!of || byte === undefined || (byte & (1 << (at & 7))) !== 0) return false;
    of[at >> 3] = byte | (1 << (at & 7));
    return true;
  };
  const uncut = () => Array.from({ length: sockets }, (_, i) => i).filter((socket) => !cutOff.has(socket));
  const tally = () => {
    const sum = { expected: 0, received: 0, lost: 0, repeated: 0, stray };
    for (const socket of uncut()) {
      sum.expected += counts[topicOf(socket)] ?? 0;
      sum.received += received[socket] ?? 0;
      sum.lost += missing(accepted[topicOf(socket)], seen[socket]);
      sum.repeated += repeated[socket] ?? 0;
    }
    return sum;
  };

  return {
    topicOf,
    posted(message, fate) {
      const topic = topicOf(message);
      if (fate === "accepted" && mark(accepted[topic], message)) counts[topic] = (counts[topic] ?? 0) + 1;
    },
    arrived(socket, message) {
      if (topicOf(socket) !== topicOf(message)) {
        stray += 1;
        return false;
      }
      const first = mark(seen[socket], message);
      const count = first ? received : repeated;
      count[socket] = (count[socket] ?? 0) + 1;
      return first;
    },
    cut: (socket) => void cutOff.add(socket),
    // Counting costs less than comparing bits, and mostly settles it.
    isComplete: () =>
      uncut().every((socket) => (received[socket] ?? 0) >= (counts[topicOf(socket)] ?? 0)) &&
      tally().lost === 0,
    tally,
  };
}

/** How many bits are set in the first and not in the second. */
function missing(wanted: Uint8Array = new Uint8Array(), got: Uint8Array = new Uint8Array()): number {
  let count = 0;
  for (let i = 0; i < wanted.length; i++) {
    for (let left = (wanted[i] ?? 0) & ~(got[i] ?? 0); left !== 0; left &= left - 1) count += 1;
  }
  return count;
}
