/** Milliseconds that are counted together. */
const BIN = 10;

/** What the gateway saw, by time. It knows nothing of the code under test. */
export interface Record {
  onSend(now: number): void;
  onOther(now: number, isRefused: boolean): void;
  /** Sends per second from one time to another. */
  rate(from: number, to: number): number;
  /** The most sends in any window of so many milliseconds. */
  most(milliseconds: number): number;
  /** The part of the other requests that were refused. */
  refused(): number;
  /** The first time at which the sends of the half second before were at least `rate` per second. */
  firstAt(rate: number): number | undefined;
}

export function record(): Record {
  const sends: number[] = [];
  let others = 0;
  let refused = 0;
  const sum = (from: number, to: number) => {
    let total = 0;
    for (let bin = from; bin < to; bin++) total += sends[bin] ?? 0;
    return total;
  };
  return {
    onSend(now) {
      const bin = Math.floor(now / BIN);
      sends[bin] = (sends[bin] ?? 0) + 1;
    },
    onOther(_, isRefused) {
      others++;
      if (isRefused) refused++;
    },
    rate: (from, to) => (sum(from / BIN, to / BIN) * 1_000) / (to - from),
    most(milliseconds) {
      const width = milliseconds / BIN;
      let inside = sum(0, width);
      let most = inside;
      for (let bin = width; bin < sends.length; bin++) {
        inside += (sends[bin] ?? 0) - (sends[bin - width] ?? 0);
        most = Math.max(most, inside);
      }
      return most;
    },
    refused: () => refused / Math.max(1, others),
    firstAt(rate) {
      const width = 500 / BIN;
      for (let bin = width; bin <= sends.length; bin++) {
        if (sum(bin - width, bin) * 2 >= rate) return bin * BIN;
      }
      return undefined;
    },
  };
}
