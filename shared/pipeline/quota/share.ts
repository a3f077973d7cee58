import type { Clock, QuotaAnswer, QuotaEntry } from "../../ports.ts";
import { gap } from "./gap.ts";
import { lives } from "./lives.ts";
import { type Moment, momentOf, since } from "./moment.ts";
import { sharesOf } from "./shares.ts";
import { usage } from "./usage.ts";

/** The part of the account's quota that one container may use, by what it and the others say in their beats. */
export interface QuotaShare {
  /** Returns the sends per second that the container may make now. */
  rate(): number;
  /** Returns the sends that may be made up for since a gap between two runs, once. */
  unused(): number;
  /** Counts a send that may start, or one that has to wait. */
  onAcquire(mayStart: boolean): void;
  /** Calls `callback` whenever a send has to wait. Takes the place of the last one. */
  onWait(callback: (() => void) | undefined): void;
  /** Forgets what was counted before: a run begins. */
  start(): void;
  /** Returns the milliseconds from one beat to the next. */
  interval(): number;
  /** Returns true if the others have to hear of this container: it waits, sends, or claims what it does not use. */
  isHeard(): boolean;
  /** Returns true if a beat at once would raise the rate: the container has more to get, and nobody claims that. */
  isHeldBack(): boolean;
  /** Returns true if a beat at once would free much that the container claims and may no longer use. */
  isOverclaimed(): boolean;
  /** Begins a beat of a run in a lane of this weight. */
  beat(weight: number): Beat;
  /** Begins the last beat of a run: the container needs nothing. */
  lastBeat(): Beat;
  /** Returns the entry of a container that stopped long ago, if this container is the one to remove it. */
  toRemove(): QuotaEntry | undefined;
}

export interface Beat {
  readonly entry: QuotaEntry;
  /** Takes the answer. Not called if there is none. */
  onAnswer(answer: QuotaAnswer): void;
}

export interface QuotaShareOptions {
  /** Names the container. */
  readonly id: string;
  /** Sends per second of all containers together. */
  readonly capacity: number;
  /** The most runs at a time. */
  readonly runs: number;
  readonly clock: Pick<Clock, "now" | "monotonic">;
}

/** Milliseconds from one beat to the next, at least, and for each entry: an item then takes at most 40 beats a second. */
const BEAT = { least: 500, each: 25 };
/** Beats for which an answer is valid, from when its beat was sent. */
const VALID = 2.5;
/** The part of an even split below which a container does not beat. */
const UNHEARD = 1 / 16;
/** The part of an even split at which a container without a valid answer sends. */
const UNANSWERED = 1 / 2;
/** Milliseconds for which the last entries of the others say what to claim. */
const REMEMBERED = 10_000;
/** How many times its rate a container has to miss for it to ask for more at once, and not in its next beat. */
const MUCH = 2;

/**
 * How many times its rate a container has to claim for it to say at once that it claims less: then a heavier lane has come,
 * which would wait half a second longer for what nobody uses. Between runs of one weight claims rise and fall by less.
 */
const MOST = 8;

interface View {
  /** The others that live. */
  readonly others: readonly QuotaEntry[];
  /** The sends per second that the container may make while the answer is valid. */
  readonly held: number;
  readonly sent: Moment;
  /** Milliseconds since `sent`. */
  readonly validFor: number;
  /** The table's time when the answer came, and that moment. */
  readonly served?: { readonly at: number; readonly moment: Moment };
}

/**
 * A container raises its rate in two steps, so that the rates of all stay within the capacity whatever calls are late or
 * lost: it claims the higher rate in a beat, and uses it only if the answer to that beat shows that the claims of the
 * others leave room for it. It lowers its rate at once, and its claim in the next beat. The claim of a container that
 * stopped holds until its entry is dead, which is later than the end of the answer that its rate rests on.
 */
export function quotaShare({ id, capacity, runs, clock }: QuotaShareOptions): QuotaShare {
  const even = capacity / runs;
  const unanswered = even * UNANSWERED;
  const seen = lives(id);
  const used = usage(clock);
  let count = 0;
  let said: QuotaEntry | undefined;
  let view: View | undefined;
  let waited: (() => void) | undefined;
  let unused = 0;

  const held = (): number | undefined =>
    view !== undefined && since(clock, view.sent) < view.validFor ? view.held : undefined;
  const interval = () => Math.max(BEAT.least, BEAT.each * ((view?.others.length ?? 0) + 1));
  const between = gap(clock, interval);
  const shareOf = (own: QuotaEntry, others: readonly QuotaEntry[]): number => {
    const all = [...others, own];
    const share = sharesOf(all, capacity).get(id) ?? 0;
    return all.some(({ isWaiting }) => isWaiting) ? share : Math.max(share, unanswered);
  };
  const roomBeside = (others: readonly QuotaEntry[]): number =>
    others.reduce((room, { claimedPerSecond }) => room - claimedPerSecond, capacity);

  const entryOf = (own: Pick<QuotaEntry, "sendsPerSecond" | "isWaiting" | "weight">): QuotaEntry => {
    const ago = view?.served && since(clock, view.served.moment);
    return {
      ...{ ...own, id, count: ++count, claimedPerSecond: 0 },
      ...(view?.served && ago !== undefined && ago < REMEMBERED
        ? { at: view.served.at + Math.round(ago) }
        : {}),
    };
  };
  const begin = (entry: QuotaEntry, validFor: number): Beat => {
    const sent = momentOf(clock);
    said = entry;
    return {
      entry,
      onAnswer(answer) {
        const others = seen.onAnswer(answer, clock.monotonic(), interval());
        const room = Math.min(entry.claimedPerSecond, roomBeside(others));
        const share = shareOf(entry, others);
        view = {
          ...{ others, sent, validFor },
          held: Math.min(share, Math.max(held() ?? even * UNHEARD, room)),
          ...(answer.at === undefined ? {} : { served: { at: answer.at, moment: momentOf(clock) } }),
        };
        if (validFor > 0) unused = between.end(view.held);
      },
    };
  };

  return {
    rate: () => held() ?? unanswered,
    unused() {
      const sends = unused;
      unused = 0;
      return sends;
    },
    onAcquire(mayStart) {
      used.onAcquire(mayStart);
      if (!mayStart) waited?.();
    },
    onWait(callback) {
      waited = callback;
    },
    start: used.reset,
    interval,
    isHeard() {
      const { sendsPerSecond, isWaiting } = used.look();
      return isWaiting || sendsPerSecond > even * UNHEARD || (said?.claimedPerSecond ?? 0) > unanswered;
    },
    isHeldBack() {
      const holds = held();
      if (!view || !said?.isWaiting || holds === undefined) return false;
      const next = Math.min(shareOf(said, view.others), roomBeside(view.others));
      return next >= holds * MUCH;
    },
    isOverclaimed: () => (said?.claimedPerSecond ?? 0) >= (held() ?? unanswered) * MOST,
    beat(weight) {
      const own = entryOf({ ...used.take(), weight });
      const isKnown = view !== undefined && since(clock, view.sent) < REMEMBERED;
      const share = isKnown ? shareOf(own, view?.others ?? []) : unanswered;
      const holds = held() ?? 0;
      const claimedPerSecond = Math.floor(Math.max(holds, share));
      return begin({ ...own, claimedPerSecond }, VALID * interval());
    },
    lastBeat() {
      // From now on it may send what every container may that has no answer.
      between.begin(held() ?? 0);
      if (view) view = { ...view, validFor: 0 };
      return begin(entryOf({ sendsPerSecond: 0, isWaiting: false, weight: 1 }), 0);
    },
    toRemove() {
      const isFirst = view?.others.every((other) => id < other.id) ?? false;
      return isFirst ? seen.longDead(clock.monotonic()) : undefined;
    },
  };
}
