/** Who got which message: each socket each message, and in order if that is asked for. */
export interface Tally {
  /** Milliseconds from `expect` to each frame since the last `clear`. */
  readonly times: readonly number[];
  /** Frames that came again: no fault, since delivery may be at least once, but they count for nothing. */
  readonly repeats: number;
  /** The first thing that went wrong. */
  readonly fault: Error | undefined;
  /** Resolves once every socket has got message `number`; rejects when something went wrong. */
  expect(number: number): Promise<void>;
  got(socket: number, number: number): void;
  /** Something else went wrong: ends every wait. */
  fail(fault: Error): void;
  clear(): void;
  /** Stops its watch. */
  close(): void;
}

export interface TallyOptions {
  readonly sockets: number;
  /** A frame that comes after one with a higher number is a fault. @default false */
  readonly ordered?: boolean;
  /** Milliseconds without any frame after which what is missing counts as lost. @default 10_000 */
  readonly patience?: number;
}

interface Waiting {
  readonly began: number;
  readonly seen: Uint8Array;
  left: number;
  resolve(): void;
  reject(fault: Error): void;
}

export function tally({ sockets, ordered = false, patience = 10_000 }: TallyOptions): Tally {
  const waiting = new Map<number, Waiting>();
  const last = new Float64Array(sockets);
  let times: number[] = [];
  let repeats = 0;
  let fault: Error | undefined;
  let highest = 0;
  let heard = performance.now();

  const fail = (reason: Error): void => {
    fault ??= reason;
    for (const { reject } of waiting.values()) reject(fault);
    waiting.clear();
  };
  const lost = (): void => {
    const [first] = waiting;
    if (first === undefined || performance.now() - heard < patience) return;
    const [number, { left }] = first;
    const missing = [...waiting.values()].reduce((sum, wait) => sum + wait.left, 0);
    fail(
      new Error(
        `lost ${missing} frames, ${left} of ${sockets} of message ${number}: none for ${patience} ms`,
      ),
    );
  };
  const watch = setInterval(lost, Math.min(1_000, patience / 2));

  return {
    get times() {
      return times;
    },
    get repeats() {
      return repeats;
    },
    get fault() {
      return fault;
    },
    expect(number) {
      if (fault) return Promise.reject(fault);
      if (waiting.size === 0) heard = performance.now();
      highest = Math.max(highest, number);
      return new Promise((resolve, reject) => {
        const seen = new Uint8Array(sockets);
        waiting.set(number, { began: performance.now(), seen, left: sockets, resolve, reject });
      });
    },
    got(socket, number) {
      if (fault) return;
      heard = performance.now();
      if (!(number >= 1 && number <= highest)) {
        return fail(new Error(`socket ${socket} got message ${number}, which nobody sent`));
      }
      const wait = waiting.get(number);
      if (wait === undefined || wait.seen[socket] === 1) {
        repeats++;
        return;
      }
      const before = last[socket] ?? 0;
      if (ordered && number < before) {
        return fail(new Error(`socket ${socket} got message ${number} after ${before}`));
      }
      last[socket] = number;
      wait.seen[socket] = 1;
      times.push(heard - wait.began);
      if (--wait.left > 0) return;
      waiting.delete(number);
      wait.resolve();
    },
    fail,
    clear() {
      times = [];
    },
    close() {
      clearInterval(watch);
    },
  };
}
