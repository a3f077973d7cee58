import { backoff } from "./backoff.ts";
import type { Emitter } from "./emitter.ts";
import { ClientError } from "./error.ts";
import { historyOf, isPassing, type MessageFrame, type Reply } from "./frame.ts";
import type { ClientFrame } from "./link.ts";
import type { Runtime } from "./runtime.ts";
import { type Step, type StreamReply, stream } from "./stream.ts";
import type { Receiver } from "./subscription.ts";

/** A hole is fetched after this and a random time up to it again, in milliseconds: its message may just be late. */
const HOLE_AGE = 2_000;
/** Replies that bring nothing, before a hole counts as one that cannot be filled. */
const FUTILE = 3;

export interface TopicDeps extends Pick<Emitter, "emit"> {
  readonly runtime: Runtime;
  /** Whether the message was there before. */
  seen(message: MessageFrame): boolean;
  /** Sends a frame over the connection. Returns false if there is none. */
  request(frame: ClientFrame, done: (reply: Reply | undefined) => void): boolean;
}

/** What a client gets by one name, and who wants it. */
export interface Topic {
  readonly receivers: Set<Receiver<MessageFrame>>;
  /** The position in its stream, to ask from. */
  position(): number | undefined;
  /** The position up to which every handler has returned. */
  handledPosition(): number | undefined;
  live(message: MessageFrame): void;
  /** The router has taken the subscription. `wasCut`: no other socket held it meanwhile. */
  subscribed(reply: StreamReply<MessageFrame>, asked: number | undefined, wasCut: boolean): void;
  head(seq: number): void;
  /** Fetches the last messages for a receiver that wants some, if the stream has begun. */
  fill(receiver: Receiver<MessageFrame>): void;
  /** Whether the router has taken the subscription once. */
  isReady(): boolean;
  /** Resolves as soon as it has, or the topic ends. */
  readonly ready: Promise<void>;
  stop(): void;
}

export function topic({ runtime, emit, seen, request }: TopicDeps, name: string, start?: number): Topic {
  const numbers = stream<MessageFrame>(start);
  const receivers = new Set<Receiver<MessageFrame>>();
  const retry = backoff(runtime);
  let handled = start;
  let recovering: number | undefined;
  let isAsking = false;
  let futile = 0;
  let stopWaiting: (() => void) | undefined;
  let isReady = false;
  let setReady = () => {};
  const ready = new Promise<void>((resolve) => {
    setReady = resolve;
  });

  const handOn = (steps: readonly Step<MessageFrame>[]) => {
    for (const step of steps) {
      if (step.kind === "gap") {
        const { since, position } = step;
        handled = position;
        recovering = undefined;
        for (const receiver of receivers) receiver.rewind(position);
        emit("gap", { topic: name, since, ...(position === undefined ? {} : { position }) });
      } else if (!seen(step.message)) {
        for (const receiver of [...receivers]) receiver.push(step.message);
      }
    }
    handled = numbers.position();
    for (const receiver of receivers) fill(receiver);
    if (numbers.hasHole()) return wait();
    if (recovering !== undefined && handled !== undefined)
      emit("recovered", { topic: name, since: recovering, position: handled });
    recovering = undefined;
  };

  const wait = (milliseconds = HOLE_AGE * (1 + runtime.random())) => {
    if (isAsking || stopWaiting) return;
    const at = numbers.position();
    stopWaiting = runtime.after(milliseconds, () => {
      stopWaiting = undefined;
      if (!numbers.hasHole()) return;
      // Another hole is younger.
      if (numbers.position() === at) ask();
      else wait();
    });
  };

  const ask = () => {
    const since = numbers.position();
    if (isAsking || since === undefined) return;
    isAsking = request({ type: "history", topic: name, since }, (reply) => {
      isAsking = false;
      if (receivers.size === 0) return;
      // The socket ended: the next one asks by its subscribe, unless it has done so already.
      if (!reply) return wait();
      if (reply.type !== "history") {
        if (isPassing(reply.code)) return wait(retryAfter(reply));
        return handOn(numbers.abandon(since));
      }
      retry.reset();
      const page = historyOf(reply);
      handOn(numbers.history(page, since));
      if (numbers.position() !== since) futile = 0;
      else if (numbers.hasHole() && ++futile >= FUTILE) handOn(numbers.abandon(since));
      if (page.more && numbers.hasHole()) askNow();
    });
  };
  const askNow = () => {
    stopWaiting?.();
    stopWaiting = undefined;
    ask();
  };
  const retryAfter = ({ retryAfter: seconds = 1 }: Reply) => seconds * 1000 + retry.next();

  const live = (message: MessageFrame) => handOn(numbers.live(message));

  const filling = new Set<Receiver<MessageFrame>>();
  const fill = (receiver: Receiver<MessageFrame>) => {
    const last = receiver.wants();
    if (!last || !isReady || filling.has(receiver)) return;
    if (numbers.position() === undefined) return receiver.fill([]);
    filling.add(receiver);
    fetchLast(receiver, { last }, []);
  };
  /** Adds pages to what it has got, since the last messages may not fit one reply. */
  const fetchLast = (
    receiver: Receiver<MessageFrame>,
    from: { last: number } | { since: number },
    got: readonly MessageFrame[],
  ) => {
    if (!receivers.has(receiver)) return void filling.delete(receiver);
    const isSent = request({ type: "history", topic: name, ...from }, (reply) => {
      if (reply && reply.type !== "history" && isPassing(reply.code))
        return void runtime.after(retryAfter(reply), () => fetchLast(receiver, from, got));
      if (reply?.type === "error") emit("error", refusal(reply, name));
      const { messages, more, position, gap } = reply ? historyOf(reply) : { messages: [] };
      // Between two pages some may have gone: then the last ones begin after these.
      const all = [...(gap ? [] : got), ...messages];
      const hasMoved = !("since" in from) || from.since !== position;
      if (more && hasMoved && position !== undefined) return fetchLast(receiver, { since: position }, all);
      filling.delete(receiver);
      if (reply) {
        const at = numbers.position() ?? Number.POSITIVE_INFINITY;
        receiver.fill(all.filter(({ omitted, seq = at }) => !omitted && seq <= at));
        // What lies above the position is handed on by its number, to every receiver.
        for (const message of all) if ((message.seq ?? at) > at) live(message);
      }
      // As with a hole.
      else runtime.after(HOLE_AGE, () => fill(receiver));
    });
    // The next connection fetches them.
    if (!isSent) filling.delete(receiver);
  };

  return {
    receivers,
    isReady: () => isReady,
    ready,
    position: () => numbers.position(),
    handledPosition() {
      const unfinished = [...receivers].flatMap((each) => each.unfinished() ?? []);
      return handled === undefined ? undefined : Math.min(handled, ...unfinished.map((seq) => seq - 1));
    },
    live,
    subscribed(reply, asked, wasCut) {
      isReady = true;
      if (wasCut && reply.recovered) recovering = asked;
      handOn(numbers.subscribed(reply, asked));
      if (reply.more) askNow();
      setReady();
    },
    head(seq) {
      numbers.head(seq);
      handOn([]);
    },
    fill,
    stop() {
      stopWaiting?.();
      setReady();
    },
  };
}

/** A router's refusal, as an event. */
export const refusal = ({ code, detail }: { code: string; detail: string }, name?: string): ClientError =>
  new ClientError(code, detail, name === undefined ? {} : { topic: name });
