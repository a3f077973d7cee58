/** What the numbers of a stream say about a message. */
export interface Numbered {
  readonly seq?: number;
  /** The message is kept but fits no reply: it comes without its data. */
  readonly omitted?: boolean;
}

/** What a `subscribed` or a `history` frame says of one stream. */
export interface StreamReply<M> {
  /** Where the client stands after this reply. Absent if there is no stream. */
  readonly position?: number | undefined;
  /** Of `subscribed` after a `since`: all messages after it are kept. */
  readonly recovered?: boolean | undefined;
  readonly messages: readonly M[];
  /** There are messages after `position`. */
  readonly more?: boolean | undefined;
  /** Of `history`: what it holds does not begin where it was asked from. */
  readonly gap?: boolean | undefined;
}

/** What becomes of what came in, in order. A gap: messages after `since` and up to `position` may be missing. */
export type Step<M> =
  | { readonly kind: "message"; readonly message: M }
  | { readonly kind: "gap"; readonly since: number; readonly position: number | undefined };

/** The place of a client in one stream. It knows no socket and no clock. */
export interface Stream<M> {
  /** The highest number up to which all has been handed on. Undefined before the first reply, or without a stream. */
  position(): number | undefined;
  /** Whether there is a message above the position that has not come. */
  hasHole(): boolean;
  /** A frame that was sent live, by whatever socket. */
  live(message: M): readonly Step<M>[];
  /** A reply to `subscribe` with `since: asked`, or without it. */
  subscribed(reply: StreamReply<M>, asked?: number): readonly Step<M>[];
  /** A reply to `history` with `since: asked`. */
  history(reply: StreamReply<M>, asked: number): readonly Step<M>[];
  /** The number of the last message, as a `pong` says it. */
  head(seq: number): void;
  /** What follows `asked` cannot be fetched: goes on with what is there. */
  abandon(asked: number): readonly Step<M>[];
}

/** A stream from a position, or from wherever the first reply says. */
export function stream<M extends Numbered>(start?: number): Stream<M> {
  let position = start;
  /** The highest number that is known to exist. */
  let known = -1;
  /** Frames without a number, from before the first reply. */
  let early: M[] | undefined = [];
  /** Messages above the position. */
  const ahead = new Map<number, M>();

  const keep = (message: M): void => {
    const { seq } = message;
    if (seq === undefined || (position !== undefined && seq <= position)) return;
    const there = ahead.get(seq);
    if (!there || there.omitted) ahead.set(seq, message);
    known = Math.max(known, seq);
  };

  const note = ({ position: at, more, messages }: StreamReply<M>): void => {
    messages.forEach(keep);
    if (at !== undefined) known = Math.max(known, more ? at + 1 : at);
  };

  /** Hands on all up to `to`, and what follows it without a hole. */
  const advance = (to: number): Step<M>[] => {
    const steps: Step<M>[] = [];
    let at = position ?? to;
    for (const [seq, message] of [...ahead].sort(([a], [b]) => a - b)) {
      if (seq > Math.max(at, to) + 1) break;
      ahead.delete(seq);
      at = Math.max(at, seq);
      steps.push(
        message.omitted ? { kind: "gap", since: seq - 1, position: seq } : { kind: "message", message },
      );
    }
    position = Math.max(at, to);
    return steps;
  };

  /** Goes to `to`, which may lie below: then the stream began anew. */
  const jump = (since: number, to: number | undefined): Step<M>[] => {
    const gap = { kind: "gap", since, position: to } as const;
    if (to === undefined) {
      const rest = advance(Number.POSITIVE_INFINITY);
      position = undefined;
      known = -1;
      return [gap, ...rest];
    }
    if (to < since) {
      position = to;
      known = Math.max(to, ...ahead.keys());
    }
    return [gap, ...advance(to)];
  };

  const cover = (from: number, to: number): Step<M>[] =>
    position !== undefined && from <= position ? advance(to) : [];

  /** The reply that sets the position. */
  const begin = (at: number | undefined): Step<M>[] => {
    const steps = (early ?? []).map((message): Step<M> => ({ kind: "message", message }));
    early = undefined;
    if (at === undefined) {
      const rest = advance(Number.POSITIVE_INFINITY);
      position = undefined;
      known = -1;
      return [...steps, ...rest];
    }
    for (const seq of ahead.keys()) if (seq <= at) ahead.delete(seq);
    position = at;
    return [...steps, ...advance(at)];
  };

  return {
    position: () => position,
    hasHole: () => position !== undefined && known > position,
    live(message) {
      if (message.seq === undefined) {
        if (!early) return [{ kind: "message", message }];
        early.push(message);
        return [];
      }
      // The stream was switched on after the last subscribe: there is no place to count from yet.
      if (position === undefined && !early) return [{ kind: "message", message }];
      keep(message);
      return position !== undefined && message.seq === position + 1 ? advance(message.seq) : [];
    },
    subscribed(reply, asked) {
      const at = reply.position;
      note(reply);
      if (position === undefined) return begin(at);
      const steps = early ? early.map((message): Step<M> => ({ kind: "message", message })) : [];
      early = undefined;
      if (asked === undefined) return steps;
      if (reply.recovered && at !== undefined) return [...steps, ...cover(asked, at)];
      return position === asked && at !== asked ? [...steps, ...jump(asked, at)] : steps;
    },
    history(reply, asked) {
      const at = reply.position;
      note(reply);
      if (position === undefined || at === undefined) return [];
      if (!reply.gap) return cover(asked, at);
      const kept = reply.messages.flatMap(({ seq }) => (seq === undefined ? [] : seq - 1));
      const from = at < asked ? at : Math.max(asked, Math.min(at, ...kept));
      const steps = position === asked && from !== asked ? jump(asked, from) : [];
      return [...steps, ...cover(from, at)];
    },
    head(seq) {
      known = Math.max(known, seq);
    },
    abandon(asked) {
      if (position !== asked || known <= asked) return [];
      return jump(asked, Math.min(known, ...[...ahead.keys()].map((seq) => seq - 1)));
    },
  };
}
