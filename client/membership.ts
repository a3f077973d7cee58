import { type Backoff, backoff } from "./backoff.ts";
import type { Emitter } from "./emitter.ts";
import { fieldsOf, isPassing, listOf, type Reply, subscribedOf } from "./frame.ts";
import type { Link } from "./link.ts";
import { needsSubscription, OWN_STREAM } from "./message.ts";
import type { Runtime } from "./runtime.ts";
import { refusal, type Topic } from "./topic.ts";

/** Topics in one frame (docs/protocol.md, "Limits"). */
const FRAME_TOPICS = 50;

export interface MembershipDeps extends Pick<Emitter, "emit"> {
  readonly runtime: Runtime;
  readonly link: Pick<Link, "request">;
  /** All that somebody wants, by name. Those of another `@` need no subscription. */
  readonly topics: ReadonlyMap<string, Topic>;
  /** Whether no other socket holds the subscriptions. */
  wasCut(): boolean;
  /** Every topic has been answered. May be called again. */
  onReady(): void;
}

/** What one socket is subscribed to, made to follow what is wanted. */
export interface Membership {
  /** Asks for what is missing, and gives back what nobody wants. A topic has at most one frame under way. */
  sync(): void;
  /** The token changed: asks again for what was refused, and for what the router has removed. */
  regrant(removed: readonly unknown[]): void;
}

/** asked: a frame is under way. leaving: a frame is, or another try follows. waiting: another try follows. */
type State = "asked" | "held" | "refused" | "leaving" | "waiting";

export function membership({ runtime, link, topics, emit, wasCut, onReady }: MembershipDeps): Membership {
  const states = new Map<string, State>();
  /** Topics that the connection has no room for, until others are given back. */
  const crowded = new Set<string>();
  /** How many frames have given topics back. */
  let left = 0;
  /** Topics that a token took away while a frame that asks for them was under way. */
  const doubtful = new Set<string>();
  const retry: Backoff = backoff(runtime);

  const inFrames = (names: readonly string[], send: (part: readonly string[]) => void) => {
    for (let i = 0; i < names.length; i += FRAME_TOPICS) send(names.slice(i, i + FRAME_TOPICS));
  };
  const setAll = (names: readonly string[], state: State) => {
    for (const name of names) states.set(name, state);
  };
  const later = (seconds: number | undefined, act: () => void) =>
    runtime.after((seconds ?? 0) * 1000 + retry.next(), () => {
      act();
      sync();
    });
  const again = (names: readonly string[], seconds?: number) => {
    setAll(names, "waiting");
    later(seconds, () => {
      for (const name of names) states.delete(name);
    });
  };
  const refuse = (name: string, reason: { code: string; detail: string }) => {
    states.set(name, "refused");
    // The user's messages come without a subscription, if they are not kept.
    if (name === OWN_STREAM) topics.get(name)?.subscribed({ messages: [] }, undefined, false);
    else emit("error", refusal(reason, name));
  };

  const isLeaving = () => [...states.values()].includes("leaving");
  /** Asks for topics once no frame that gives others back is under way. */
  const crowd = (names: readonly string[]) => {
    setAll(names, "waiting");
    for (const name of names) crowded.add(name);
    makeRoom();
  };
  const makeRoom = () => {
    if (isLeaving()) return;
    for (const name of crowded) states.delete(name);
    crowded.clear();
  };

  const subscribe = (names: readonly string[]) => {
    setAll(names, "asked");
    for (const name of names) crowded.delete(name);
    const leftBefore = left;
    const since = Object.fromEntries(
      names.flatMap((name) => {
        const position = topics.get(name)?.position();
        return position === undefined ? [] : [[name, position]];
      }),
    ) as Record<string, number>;
    const isResume = Object.keys(since).length > 0;
    link.request({ type: "subscribe", topics: names, ...(isResume ? { since } : {}) }, (reply) => {
      if (!reply) return;
      if (reply.type === "subscribed") subscribed(names, since, reply);
      else if (isPassing(reply.code)) again(names, reply.retryAfter);
      else if (reply.code === "TOO_MANY_TOPICS" && (isLeaving() || left > leftBefore)) crowd(names);
      // One of them is bad, and the others need not suffer.
      else if (names.length > 1) inHalves(names, subscribe);
      else {
        if (reply.code === "TOO_MANY_TOPICS") crowded.add(names[0] as string);
        refuse(names[0] as string, reply);
      }
      sync();
    });
  };
  const subscribed = (names: readonly string[], since: Readonly<Record<string, number>>, reply: Reply) => {
    const refused = listOf(reply.fields["refused"]).map(fieldsOf);
    const taken = listOf(reply.fields["topics"]);
    const isCut = wasCut();
    if (taken.length === names.length) retry.reset();
    for (const name of names) {
      const bad = refused.find((each) => each["topic"] === name);
      if (bad) {
        const code = String(bad["code"]);
        if (isPassing(code)) again([name]);
        else refuse(name, { code, detail: String(bad["detail"]) });
      } else if (taken.includes(name)) {
        if (doubtful.delete(name)) states.delete(name);
        else states.set(name, "held");
        topics.get(name)?.subscribed(subscribedOf(reply, name), since[name], isCut);
      } else again([name]);
    }
  };

  const unsubscribe = (names: readonly string[]) => {
    setAll(names, "leaving");
    link.request({ type: "unsubscribe", topics: names }, (reply) => {
      if (!reply) return;
      if (reply.type === "error" && isPassing(reply.code))
        return void later(reply.retryAfter, () => {
          for (const name of names)
            if (topics.has(name)) states.delete(name);
            else states.set(name, "held");
          makeRoom();
        });
      // If it was refused for good, messages go on coming that nobody gets, until the socket ends.
      left += 1;
      for (const name of names) states.delete(name);
      makeRoom();
      sync();
    });
  };

  const sync = () => {
    const wanted = [...topics.keys()].filter(needsSubscription);
    inFrames(
      wanted.filter((name) => !states.has(name)),
      subscribe,
    );
    inFrames(
      [...states].flatMap(([name, state]) => (state === "held" && !topics.has(name) ? [name] : [])),
      unsubscribe,
    );
    for (const [name, state] of states) if (state === "refused" && !topics.has(name)) states.delete(name);
    if (wanted.every((name) => /held|refused/.test(states.get(name) ?? ""))) onReady();
  };

  return {
    sync,
    regrant(removed) {
      for (const [name, state] of states) {
        const isRemoved = removed.includes(name) || removed.includes(`topic:${name}`);
        if (state === "refused" || (state === "held" && isRemoved)) states.delete(name);
        else if (state === "asked" && isRemoved) doubtful.add(name);
      }
      sync();
    },
  };
}

function inHalves<T>(items: readonly T[], each: (half: readonly T[]) => void): void {
  const middle = items.length >> 1;
  each(items.slice(0, middle));
  each(items.slice(middle));
}
