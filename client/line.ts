import type { Emitter } from "./emitter.ts";
import { ClientError } from "./error.ts";
import { fieldsOf, type MessageFrame, numberOf } from "./frame.ts";
import { type Link, openLink } from "./link.ts";
import { watch } from "./liveness.ts";
import { membership } from "./membership.ts";
import { keepFresh } from "./refresh.ts";
import type { Runtime } from "./runtime.ts";
import type { TokenSource } from "./tokens.ts";
import type { Topic } from "./topic.ts";

/** Streams that a ping may name (docs/protocol.md). */
const PING_STREAMS = 200;

export interface LineDeps extends Pick<Emitter, "emit"> {
  readonly runtime: Runtime;
  readonly url: string;
  readonly source: TokenSource;
  readonly topics: ReadonlyMap<string, Topic>;
  onMessage(message: MessageFrame): void;
}

export interface LineEvents {
  /** The connection has this token from now on. */
  onToken(token: string): void;
  /** It is open and every topic has been answered. May be called again. */
  onReady(): void;
  /** It ended by itself. `wasOpen`: it had been opened. */
  onEnd(reason: ClientError, wasOpen: boolean): void;
  onSignedOut(): void;
  /** Whether no other socket holds the subscriptions. */
  wasCut(): boolean;
}

/** A socket with its subscriptions, its token and its signs of life. */
export interface Line extends Pick<Link, "probe"> {
  /** Sends a frame, as a link does. Returns false if it is not open. */
  request(...args: Parameters<Link["request"]>): boolean;
  /** Follows what is wanted, once it is open. */
  sync(): void;
  /** Calls back while it is open. */
  after(milliseconds: number, callback: () => void): void;
  /** Closes it, without `onEnd`. */
  stop(): void;
}

export function openLine(deps: LineDeps, token: string, events: LineEvents): Line {
  const { runtime, source, topics, emit } = deps;
  const stops: (() => void)[] = [];
  let isOpen = false;

  const members = membership({
    runtime,
    topics,
    emit,
    link: { request: (frame, done) => link.request(frame, done) },
    wasCut: events.wasCut,
    onReady: events.onReady,
  });
  const stop = () => {
    isOpen = false;
    for (const each of stops.splice(0)) each();
    link.close();
  };
  const link = openLink(runtime, deps.url, token, {
    onOpen() {
      isOpen = true;
      events.onToken(token);
      const onToken = (fresh: string, removed: readonly unknown[]) => {
        events.onToken(fresh);
        members.regrant(removed);
      };
      const { request } = link;
      stops.push(
        watch(runtime, link),
        keepFresh({ runtime, source, emit, request, onToken, onSignedOut: events.onSignedOut }, token),
      );
      members.sync();
    },
    onMessage: deps.onMessage,
    onRubbish: () => emit("error", new ClientError("FRAME_UNKNOWN", "the router sent what is no frame")),
    onPong({ fields }) {
      for (const [name, head] of Object.entries(fieldsOf(fields["positions"])))
        topics.get(name)?.head(numberOf(head) ?? 0);
    },
    pingFields() {
      const positions = Object.fromEntries(
        [...topics]
          .flatMap(([name, { position }]) => {
            const at = position();
            return at === undefined ? [] : [[name, at]];
          })
          .slice(0, PING_STREAMS),
      );
      return Object.keys(positions).length > 0 ? { positions } : {};
    },
    onEnd(reason) {
      const wasOpen = isOpen;
      stop();
      events.onEnd(reason, wasOpen);
    },
  });

  return {
    request(...args) {
      if (isOpen) link.request(...args);
      return isOpen;
    },
    probe: link.probe,
    sync: () => isOpen && members.sync(),
    after: (milliseconds, callback) => void stops.push(runtime.after(milliseconds, callback)),
    stop,
  };
}
