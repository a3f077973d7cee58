import type { Tag } from "../../shared/protocol/tag.ts";
import type { Target } from "../../shared/protocol/target.ts";
import type { Socket } from "../world/gateway.ts";
import { isMeant } from "./target.ts";

/** Whom a message must reach and whom it may, from its POST on. */
export interface Audience {
  /** Sockets that its target surely meant all the time. */
  readonly must: ReadonlySet<Socket>;
  /**
   * Whether its target may have meant the socket. The lists of an expression are read one after the other, so each
   * tag counts as it was at any moment.
   */
  may(socket: Socket): boolean;
  /** The message has its number: from now on it must reach all who have been told a position below it. */
  widen(sockets: readonly Socket[]): void;
  /** What a socket is, or what its client knows of its tags, has changed. */
  changed(socket: Socket): void;
}

/** What is known of a socket's tags since the POST. */
interface Since {
  /** Held at some moment, or perhaps. */
  readonly ever: Set<Tag>;
  /** Held at every moment, for sure. */
  always: ReadonlySet<Tag>;
}

export function audienceOf(target: Target, sockets: readonly Socket[]): Audience {
  const must = new Set(sockets.filter((socket) => isSurelyFor(target, socket)));
  const since = new Map<Socket, Since>();
  const changed = (socket: Socket) => {
    if (!isSurelyFor(target, socket)) must.delete(socket);
    if (socket.state === "closed") return;
    const { ever, always } = since.get(socket) ?? { ever: new Set<Tag>(), always: new Set<Tag>() };
    for (const tag of socket.tags.keys()) ever.add(tag);
    since.set(socket, { ever, always: new Set([...always].filter((tag) => socket.tags.get(tag) === "yes")) });
  };
  for (const socket of sockets.filter(({ state }) => state !== "closed")) {
    since.set(socket, { ever: new Set(socket.tags.keys()), always: surelyHeld(socket) });
  }

  return {
    must,
    changed,
    widen(sockets) {
      for (const socket of sockets) if (isSurelyFor(target, socket)) must.add(socket);
    },
    may(socket) {
      const known = since.get(socket);
      if (!known) return "connection" in target && target.connection === socket.connectionId;
      const held = (tag: Tag) => known.ever.has(tag);
      return isMeant(target, socket.connectionId, held, (tag) => !known.always.has(tag));
    },
  };
}

const surelyHeld = ({ tags }: Socket) =>
  new Set([...tags].flatMap(([tag, held]) => (held === "yes" ? [tag] : [])));

const isSurelyFor = (target: Target, { connectionId, state, tags }: Socket): boolean =>
  state === "open" &&
  isMeant(
    target,
    connectionId,
    (tag) => tags.get(tag) === "yes",
    (tag) => !tags.has(tag),
  );

/** Whether rows that a socket may have left behind are in lists of the target. */
export const mayHaveLeft = (target: Target, { connectionId, tags }: Socket): boolean =>
  isMeant(
    target,
    connectionId,
    (tag) => tags.has(tag),
    () => true,
  );
