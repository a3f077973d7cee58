import type { Numbered, Stream } from "../../client/stream.ts";
import type { Page, Streams } from "../../shared/ports.ts";
import { topicTag, userTag } from "../../shared/protocol/tag.ts";
import { tagsFor } from "../../shared/protocol/target.ts";
import type { StreamName, StreamRow } from "../../shared/streams/stream.ts";
import type { Mutant } from "../world/mutant.ts";
import type { Ports } from "../world/ports.ts";
import type { Simulation } from "../world/world.ts";
import { IN_STREAMS as IN, readPort, receipts, streamPort } from "./change.ts";

/** A run asks for the first page of a list once, whatever it appends meanwhile. */
const withPages = (
  { subscriptions, receipts: own, ...ports }: Ports,
  isPrefetched: boolean,
): Partial<Ports> => {
  const pages = new Map<string, Promise<Page>>();
  const page: typeof subscriptions.page = (tag, query) => {
    const key = `${tag} ${query.from} ${query.to}`;
    const known = pages.get(key) ?? Promise.resolve(subscriptions.page(tag, query));
    pages.set(key, known);
    known.catch(() => pages.delete(key));
    return known;
  };
  const first = { from: "00000000", to: "g", limit: 2, now: ports.clock.now() };
  return {
    subscriptions: { ...subscriptions, page },
    receipts: {
      ...own,
      async claim(job, lease, now) {
        const reads = isPrefetched ? tagsFor(job.message.target).map((tag) => page(tag, first)) : [];
        const claim = await own.claim(job, lease, now);
        await Promise.allSettled(reads);
        return claim;
      },
    },
  };
};

/** What the table had some milliseconds ago. */
const STALE = 2_000;
const stale =
  ({ read }: Streams, { scheduler }: Simulation): Streams["read"] =>
  async (stream, from, to) => {
    const found = await read(stream, from, to);
    return { ...found, rows: found.rows.filter(({ at }) => at < scheduler.now() - STALE) };
  };

const reserved = new WeakMap<Simulation, Map<StreamName, StreamRow>>();

/** Takes numbers from a counter, and then puts the row. */
const counted = ({ last, append }: Streams, world: Simulation): Partial<Streams> => {
  const counters = reserved.get(world) ?? new Map<StreamName, StreamRow>();
  reserved.set(world, counters);
  return {
    async last(stream) {
      const row = await last(stream);
      const counter = counters.get(stream);
      return row && counter && counter.next > row.next ? counter : row;
    },
    async append(stream, row) {
      const counter = counters.get(stream);
      if (counter && counter.next > row.seq) return counter;
      counters.set(stream, row);
      // The counter's answer; only then the row is put.
      await last(stream);
      return append(stream, row);
    },
  };
};

/** Its position is the highest number that it has seen. */
function highestSeen<M extends Numbered>(place: Stream<M>): Stream<M> {
  let highest: number | undefined;
  const seen = (...numbers: readonly (number | undefined)[]) => {
    for (const number of numbers) if (number !== undefined) highest = Math.max(highest ?? number, number);
  };
  return {
    ...place,
    position: () =>
      place.position() === undefined ? undefined : Math.max(place.position() ?? 0, highest ?? 0),
    live(message) {
      seen(message.seq);
      return place.live(message);
    },
    subscribed(reply, asked) {
      seen(reply.position);
      return place.subscribed(reply, asked);
    },
  };
}

/** Every reply sets its position, whatever it has been given meanwhile. */
function setByReplies<M extends Numbered>(place: Stream<M>, anew: (start: number) => Stream<M>): Stream<M> {
  let current = place;
  return {
    position: () => current.position(),
    hasHole: () => current.hasHole(),
    live: (message) => current.live(message),
    head: (seq) => current.head(seq),
    abandon: (asked) => current.abandon(asked),
    subscribed(reply, asked) {
      if (asked === undefined || reply.position === undefined) return current.subscribed(reply, asked);
      const before = current.position() ?? 0;
      const messages = reply.messages.filter(({ seq = 0 }) => seq > before);
      current = anew(reply.position);
      return messages.map((message) => ({ kind: "message", message }) as const);
    },
    history: (reply, asked) => current.history(reply, asked),
  };
}

/** Bugs around streams, in the router and in the client. */
export const STREAMS = {
  "page-before-append": {
    why: "a first page that a run has read serves what it appends afterwards too",
    ports: (ports, _, actor) => (actor.end === undefined ? {} : withPages(ports, false)),
    in: IN,
    seed: 15,
  },
  "list-before-append": {
    why: "a list is read before the message is appended",
    ports: (ports, _, actor) => (actor.end === undefined ? {} : withPages(ports, true)),
    in: IN,
  },
  "highest-seen": {
    why: "a client's position is the highest number that it has seen",
    place: highestSeen,
    in: IN,
  },
  "position-from-reply": {
    why: "a client's position is what the last reply says",
    place: (place, anew) => setByReplies(place, anew),
    in: IN,
  },
  "position-given-early": {
    why: "a position is given out before its handler has returned",
    seed: 12,
    isEarly: true,
    in: IN,
  },
  "stale-history": {
    why: "history is read without consistency",
    ports: readPort((streams, world) => ({ read: stale(streams, world) })),
    in: IN,
  },
  "counter-and-put": {
    why: "a run takes a number from a counter, and then puts its row",
    ports: streamPort((streams, _, world) => counted(streams, world)),
    in: IN,
  },
  "retry-appends-again": {
    why: "a retry does not know the number that its message has",
    ports: receipts(({ claim }) => ({
      claim: async (...asked) => {
        const answer = await claim(...asked);
        if (answer.kind !== "claimed") return answer;
        const { seq: _, ...rest } = answer;
        return rest;
      },
    })),
    in: IN,
  },
  "takeover-appends-again": {
    why: "a run that takes over does not look for what the run before it appended",
    ports: receipts(({ claim }) => ({
      claim: async (...asked) => {
        const answer = await claim(...asked);
        if (answer.kind !== "claimed") return answer;
        const { after: _, ...rest } = answer;
        return rest;
      },
    })),
    in: IN,
  },
  "start-by-own-clock": {
    why: "each run starts a stream at its own clock, whatever stands there",
    ports: streamPort(({ start, root }, { clock }) => ({
      async start(stream, row) {
        const found = await root(stream);
        await start(stream, { ...row, next: clock.now() * 1_000 }, found?.next);
        return true;
      },
    })),
    in: IN,
  },
  "head-where-more": {
    why: "a reply that does not hold all says that the client stands at the head",
    seed: 10,
    reply: (reply, { tables }, user) => {
      if (reply.type !== "subscribed" || !reply.more) return reply;
      const more = Object.keys(reply.more);
      const heads = more.map((name) => {
        const stream = name.startsWith("@")
          ? userTag(user)
          : topicTag(name as Parameters<typeof topicTag>[0]);
        return [name, (tables.streams.rowsOf(stream).at(-1)?.next ?? 1) - 1];
      });
      return { ...reply, positions: { ...reply.positions, ...Object.fromEntries(heads) } };
    },
    in: IN,
  },
} as const satisfies Record<string, Mutant>;
