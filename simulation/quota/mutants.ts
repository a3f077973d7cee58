import type { Clock, QuotaAnswer, QuotaBeats } from "../../shared/ports.ts";

/** What a planted bug changes around the code that shares the quota. */
export interface QuotaMutant {
  readonly clock: (clock: Clock) => Clock;
  readonly beats: (beats: QuotaBeats) => QuotaBeats;
  /** Whether throttled sends slow a container down. */
  readonly brakes: boolean;
}

/** The code as it is. */
export const NONE: QuotaMutant = {
  clock: (clock) => clock,
  beats: (beats) => beats,
  brakes: true,
};

const answered =
  (change: (answer: QuotaAnswer, own: string) => QuotaAnswer) =>
  (beats: QuotaBeats): QuotaBeats => ({
    ...beats,
    beat: async (entry) => change(await beats.beat(entry), entry.id),
  });

const others = (
  answer: QuotaAnswer,
  own: string,
  change: (entry: QuotaAnswer["entries"][number]) => QuotaAnswer["entries"],
): QuotaAnswer => ({
  ...answer,
  entries: answer.entries.flatMap((entry) => (entry.id === own ? [entry] : change(entry))),
});

/** Bugs that the simulation has to find. */
export const QUOTA_MUTANTS = {
  "up after one beat": {
    ...NONE,
    beats: answered((answer, own) => others(answer, own, (entry) => [{ ...entry, claimedPerSecond: 0 }])),
  },
  "a thawed container keeps its share": {
    ...NONE,
    clock: (clock) => ({ ...clock, now: () => clock.monotonic() }),
  },
  "nobody ever dies": {
    ...NONE,
    beats: (beats) => {
      let more = 0;
      return answered((answer, own) =>
        others(answer, own, (entry) => [{ ...entry, count: entry.count + ++more }]),
      )(beats);
    },
  },
  "who misses a beat is dead": {
    ...NONE,
    beats: (beats) => {
      let counts = new Map<string, number>();
      return answered((answer, own) => {
        const last = counts;
        counts = new Map(answer.entries.map(({ id, count }) => [id, count]));
        return others(answer, own, (entry) => (last.get(entry.id) === entry.count ? [] : [entry]));
      })(beats);
    },
  },
  "nobody listens to the others": {
    ...NONE,
    beats: answered((answer, own) => others(answer, own, () => [])),
  },
  "an answer is valid for ever": {
    ...NONE,
    clock: (clock) => ({ ...clock, now: () => 0, monotonic: () => 0 }),
  },
  "nothing brakes": { ...NONE, brakes: false },
} satisfies Readonly<Record<string, QuotaMutant>>;
