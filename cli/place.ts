import { InvalidArgumentError } from "commander";
import { isObject } from "../server/request.ts";
import { OWN_STREAM } from "../shared/protocol/stream-frame.ts";

type Frame = Readonly<Record<string, unknown>>;

/** Where `listen` is in the streams of its topics, so that it prints each message once and asks for what a cut cost it. */
export interface Places {
  /** What a subscribe to these topics asks for beside them. */
  asked(topics: readonly string[]): {
    readonly since?: Readonly<Record<string, number>>;
    readonly last?: number;
  };
  /** Whether a message was not seen before. One without a number always is. */
  isNew(message: Frame): boolean;
  /** A reply said where it is in a stream. */
  reached(topic: string, position: number): void;
}

interface Place {
  /** All messages up to it were seen. */
  position: number;
  /** Numbers above it that were seen. */
  readonly seen: Set<number>;
}

export function places(since: ReadonlyMap<string, number>, last: number | undefined): Places {
  const known = new Map<string, Place>(
    [...since].map(([topic, position]) => [topic, { position, seen: new Set() }]),
  );
  // Numbers that came before the reply which says where the stream begins.
  const early = new Map<string, Set<number>>();
  const advance = (place: Place) => {
    while (place.seen.delete(place.position + 1)) place.position += 1;
  };
  return {
    asked(topics) {
      const positions = topics.flatMap((topic) => {
        const place = known.get(topic);
        return place ? [[topic, place.position] as const] : [];
      });
      return {
        ...(positions.length > 0 ? { since: Object.fromEntries(positions) } : {}),
        ...(last === undefined || positions.length === topics.length ? {} : { last }),
      };
    },
    isNew({ topic, to, seq }) {
      const name = typeof topic === "string" ? topic : to === "user" ? OWN_STREAM : undefined;
      if (name === undefined || typeof seq !== "number") return true;
      const place = known.get(name);
      const seen = place?.seen ?? early.get(name) ?? new Set<number>();
      if (seen.has(seq) || (place !== undefined && seq <= place.position)) return false;
      seen.add(seq);
      if (place) advance(place);
      else early.set(name, seen);
      return true;
    },
    reached(topic, position) {
      const place = known.get(topic) ?? { position, seen: early.get(topic) ?? new Set() };
      known.set(topic, place);
      early.delete(topic);
      place.position = Math.max(place.position, position);
      for (const seq of place.seen) if (seq <= place.position) place.seen.delete(seq);
      advance(place);
    },
  };
}

/** Reads `orders=17`. A topic may hold no `=`. */
export function parsePlace(
  text: string,
  former: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  const [, topic = "", digits = ""] = /^([^=]+)=(\d{1,16})$/.exec(text) ?? [];
  const position = Number(digits);
  if (topic === "" || !Number.isSafeInteger(position))
    throw new InvalidArgumentError("It must be a topic and a position, as in orders=17.");
  return new Map([...former, [topic, position]]);
}

/** What a reply says of streams. */
export interface CaughtUp {
  readonly messages: readonly Frame[];
  /** Topics whose messages are lost. */
  readonly missed: readonly string[];
  readonly positions: readonly (readonly [topic: string, position: number])[];
  /** Topics that have messages after their positions. */
  readonly more: readonly string[];
}

/** Reads a `subscribed` or `history` reply. Any other says nothing of streams. */
export function caughtUp(reply: Frame): CaughtUp {
  const { type, topic, position, positions, recovered, more, gap } = reply;
  const messages = (Array.isArray(reply["messages"]) ? reply["messages"] : []).filter(isObject);
  if (type === "subscribed") {
    return {
      messages,
      missed: namesOf(recovered, false),
      positions: numbered(Object.entries(isObject(positions) ? positions : {})),
      more: namesOf(more, true),
    };
  }
  const name = type === "history" && typeof topic === "string" ? [topic] : [];
  return {
    messages: name.length > 0 ? messages : [],
    missed: gap === true ? name : [],
    positions: numbered(name.map((one) => [one, position] as const)),
    more: more === true ? name : [],
  };
}

const namesOf = (flags: unknown, value: boolean): string[] =>
  Object.entries(isObject(flags) ? flags : {}).flatMap(([name, flag]) => (flag === value ? [name] : []));

const numbered = (entries: readonly (readonly [string, unknown])[]): (readonly [string, number])[] =>
  entries.flatMap(([name, value]) => (typeof value === "number" ? [[name, value]] : []));
