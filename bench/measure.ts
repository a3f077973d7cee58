import { setTimeout as pause } from "node:timers/promises";

/** One thing to do over and over, `inFlight` at a time. */
export interface Contestant {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** @default 1 */
  readonly inFlight?: number;
}

export interface Rounds {
  readonly rounds: number;
  /** Milliseconds that each contestant runs in each round. */
  readonly window: number;
  /** Between two windows; not counted. */
  readonly before?: () => Promise<unknown>;
}

/** What contestants did per second of this process's CPU time, round by round. */
export type Rates = ReadonlyMap<string, readonly number[]>;

/**
 * Lets contestants run in turn, round after round, so that a noisy moment of the machine meets them all. The
 * first round warms up and is not counted.
 */
export async function perCpuSecond(
  contestants: readonly Contestant[],
  { rounds, window, before }: Rounds,
): Promise<Rates> {
  const rates = new Map(contestants.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const contestant of turned(contestants, round)) {
      await before?.();
      const rate = await oneWindow(contestant, window);
      if (round > 0) rates.get(contestant.name)?.push(rate);
    }
  }
  return rates;
}

async function oneWindow({ run, inFlight = 1 }: Contestant, window: number): Promise<number> {
  globalThis.gc?.();
  await pause(10);
  // A collection also throws compiled code away that was not used lately, and the others have just had their turns.
  await repeat(run, inFlight, window / 2);
  const before = process.cpuUsage();
  const done = await repeat(run, inFlight, window);
  const { user, system } = process.cpuUsage(before);
  return done / ((user + system) / 1e6);
}

/** Runs for `milliseconds` and returns how often. */
async function repeat(run: () => Promise<unknown>, inFlight: number, milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  let done = 0;
  const worker = async () => {
    while (performance.now() < end) {
      await run();
      done++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return done;
}

/** The first of one round is the last of the next, so that none always follows the same neighbour. */
export const turned = <T>(items: readonly T[], by: number): T[] => {
  const cut = by % items.length;
  return [...items.slice(cut), ...items.slice(0, cut)];
};

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = low] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]];
  return (low + high) / 2;
}

/** The median of a rate. */
export const rateOf = (rates: Rates, name: string): number => median(rates.get(name) ?? []);

/** How many times as fast one is as the other: the median over the rounds, each compared within itself. */
export function ratio(rates: Rates, name: string, to: string): number {
  const base = rates.get(to) ?? [];
  return median((rates.get(name) ?? []).map((rate, round) => rate / (base[round] ?? Number.NaN)));
}
