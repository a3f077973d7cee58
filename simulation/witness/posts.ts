import { contains, sortKey } from "../../shared/domain/hash-range.ts";
import type { ConnectionId } from "../../shared/domain/tag.ts";
import type { SendResult } from "../../shared/ports.ts";
import type { Socket } from "../world/gateway.ts";
import type { Actor } from "../world/scheduler.ts";
import { mayHaveLeft } from "./audience.ts";
import { type Arrival, isOver, type Letter, nameOf, type Post, type Serving } from "./letter.ts";
import type { Notebook } from "./notebook.ts";

export interface PostWatch {
  posting(actor: Actor, id: ConnectionId, frame: Uint8Array): Post;
  /** A frame has reached a client. */
  landed(post: Post, socket: Socket, lied: boolean): void;
  /** The run has its answer. */
  posted(post: Post, ending: SendResult): void;
  readonly totals: {
    peakPosts: number;
    peakPostsInRun: number;
    repeats: number;
    /** Frames that reached a new socket because the gateway had given it the id of an old one. */
    misdirected: number;
  };
}

/** Rules on every post when it starts, and on every frame when it arrives. */
export function watchPosts(book: Notebook, postsInFlight: number): PostWatch {
  const inFlight = new Map<Actor, number>();
  const totals = { peakPosts: 0, peakPostsInRun: 0, repeats: 0, misdirected: 0 };

  const count = (actor: Actor) => {
    const posts = (inFlight.get(actor) ?? 0) + 1;
    inFlight.set(actor, posts);
    if (posts > postsInFlight) book.violate("posts in flight are bounded", `${actor.name} has ${posts}`);
    let all = 0;
    for (const [run, some] of inFlight) {
      if (run.alive) all += some;
      else inFlight.delete(run);
    }
    totals.peakPostsInRun = Math.max(totals.peakPostsInRun, posts);
    totals.peakPosts = Math.max(totals.peakPosts, all);
  };

  const mayRepeat = (letter: Letter, socket: Socket) => {
    if (letter.arrivals.get(socket)?.every(isExcuse) ?? true) return;
    book.violate(
      "a frame repeats only after a crash, a lie or a failed write",
      `${socket.connectionId} gets ${nameOf(letter)} again`,
    );
  };

  return {
    totals,
    posting(actor, id, frame) {
      const { number } = (JSON.parse(new TextDecoder().decode(frame)) as { data: { number: number } }).data;
      const letter = book.letters[number];
      const serving = letter && servingOf(letter, actor, id);
      if (letter && actor.alive) {
        count(actor);
        checkStart(book, { letter, serving, actor }, id);
        const socket = book.gateway.at(id);
        if (socket) mayRepeat(letter, socket);
      }
      return { letter, serving, actor };
    },
    posted({ actor, serving }, { kind }) {
      inFlight.set(actor, (inFlight.get(actor) ?? 1) - 1);
      if (!serving || kind === "throttled" || kind === "unavailable") return;
      const field = kind === "refused" ? "failed" : kind;
      serving.counts = { ...serving.counts, [field]: serving.counts[field] + 1 };
    },
    landed({ letter, serving }, socket, lied) {
      if (!letter) return;
      if (!letter.audience.may(socket)) {
        if (inherits(book, letter, socket)) totals.misdirected++;
        else
          book.violate("nobody outside the target gets it", `${socket.connectionId} got ${nameOf(letter)}`);
      }
      const earlier = letter.arrivals.get(socket) ?? [];
      if (earlier.length > 0) totals.repeats++;
      if (!lied) mayRepeat(letter, socket);
      letter.arrivals.set(socket, [...earlier, { serving, lied }]);
    },
  };
}

/** A claim whose answer was lost may overlap with another: then the narrower job is the one that is served. */
function servingOf(letter: Letter, actor: Actor, id: ConnectionId): Serving | undefined {
  const key = sortKey(id);
  const [serving] = letter.servings
    .filter((one) => one.actor === actor && one.state === "serving" && contains(one.range, key))
    .toSorted((a, b) => (a.range.from > b.range.from || a.range.to < b.range.to ? -1 : 1));
  return serving;
}

function checkStart(book: Notebook, { letter, serving, actor }: Post & { letter: Letter }, id: ConnectionId) {
  const what = `${actor.name} posts ${nameOf(letter)} to ${id}`;
  if (!serving) return book.violate("only a run that holds the job posts", what);
  if (book.now() + actor.skew >= (letter.message?.expiresAt ?? Number.POSITIVE_INFINITY)) {
    book.violate("nothing is posted after its deadline", what);
  }
  if (isOver(letter) && letter.receipt?.state !== "cancelled") {
    book.violate("nothing is posted after its ending", `${what}, which is ${letter.receipt?.state}`);
  }
  if (letter.cancelledAt !== undefined && serving.since > letter.cancelledAt) {
    book.violate("what was cancelled is not posted", what);
  }
}

/** A post names an id only, so a frame for an old socket reaches the new one that got its id. */
const inherits = ({ gateway }: Notebook, { target, audience }: Letter, socket: Socket): boolean =>
  gateway.sockets.some(
    (old) =>
      old !== socket &&
      old.connectionId === socket.connectionId &&
      (audience.may(old) || mayHaveLeft(target, old)),
  );

/** Whether a frame may come again after this one: nobody knew that it had arrived, or whoever knew could not write it. */
const isExcuse = ({ lied, serving }: Arrival): boolean =>
  lied || serving?.state === "settling" || (serving?.state === "serving" && !serving.actor.alive);
