import type { SendResult } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import type { Socket } from "../world/gateway.ts";
import type { Actor } from "../world/scheduler.ts";
import { mayHaveLeft } from "./audience.ts";
import { contentOf } from "./content.ts";
import { flawOf } from "./frames.ts";
import { letterOf, type Notebook } from "./history.ts";
import { holds, partName } from "./key.ts";
import { type Arrival, isOver, type Letter, nameOf, type Post, type Serving } from "./message-record.ts";

export interface PostWatch {
  posting(actor: Actor, id: ConnectionId, frame: Uint8Array): Post;
  /** A frame has reached a client. */
  landed(post: Post, socket: Socket, lied: boolean): void;
  /** The run has its answer. */
  posted(post: Post, ending: SendResult): void;
  /** A run that has asked since then has been told whether its message is cancelled. */
  looked(actor: Actor, job: Job, cancelled: boolean, since: number): void;
  readonly totals: {
    peakPosts: number;
    peakPostsInRun: number;
    repeats: number;
    /** Frames that reached a new socket because the gateway had given it the id of an old one. */
    misdirected: number;
  };
}

/** Rules on every post when it starts, and on every frame when it arrives. */
export function watchPosts(book: Notebook): PostWatch {
  const { postsInFlight } = book.settings.delivery;
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
      const text = new TextDecoder().decode(frame);
      const { number } = contentOf((JSON.parse(text) as { data: unknown }).data);
      const letter = book.letters[number];
      const serving = letter && servingOf(letter, actor, id);
      const post = { letter, serving, actor, id };
      if (letter && actor.alive) {
        count(actor);
        const flaw = flawOf(letter, text);
        if (flaw) book.violate("the frame is what was posted", flaw);
        if (serving) checkStart(book, { ...post, letter, serving });
        else book.violate("only a run that holds the job posts", `${actor.name} posts ${nameOf(letter)}`);
        const socket = book.gateway.at(id);
        if (socket) mayRepeat(letter, socket);
      }
      return post;
    },
    posted({ actor, serving }, result) {
      inFlight.set(actor, (inFlight.get(actor) ?? 1) - 1);
      if (!serving) return;
      const { kind } = result;
      if (kind === "throttled" || kind === "unavailable") return;
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
      letter.arrivals.set(socket, [...earlier, { serving, lied, at: book.now() }]);
    },
    looked(actor, job, cancelled, since) {
      const part = partName(job.range);
      const letter = letterOf(book, job);
      if (letter?.cancel && !cancelled && !isOver(letter) && letter.cancel.writtenAt < since) {
        book.violate("who looks for a cancel sees it", `${actor.name}: ${nameOf(letter)}`);
      }
      for (const serving of letter?.servings ?? []) {
        if (serving.actor !== actor || serving.part !== part) continue;
        serving.sinceLook.clear();
        if (cancelled) serving.toldCancelled = true;
      }
    },
  };
}

/** A claim whose answer was lost may overlap with another: then the narrower job is the one that is served. */
function servingOf(letter: Letter, actor: Actor, id: ConnectionId): Serving | undefined {
  const serving = letter.servings.filter(
    (one) => one.actor === actor && one.state === "serving" && (!one.range || holds(one.range, id)),
  );
  const from = ({ range }: Serving) => range?.from ?? "";
  const to = ({ range }: Serving) => range?.to ?? "g";
  return serving.toSorted((a, b) => (from(a) > from(b) || to(a) < to(b) ? -1 : 1))[0];
}

function checkStart(
  book: Notebook,
  { letter, serving, actor, id }: Post & { letter: Letter; serving: Serving },
) {
  const what = `${actor.name} posts ${nameOf(letter)} to ${id}`;
  const now = Math.floor(book.now() + actor.skew);
  const { reserve, pageSize, pendingLimit } = book.settings.delivery;
  if (now >= (letter.message?.expiresAt ?? Number.POSITIVE_INFINITY)) {
    book.violate("nothing is posted after its deadline", what);
  }
  if (book.now() < letter.postedAt + (letter.delaySeconds ?? 0) * 1000) {
    book.violate("nothing is posted before its delay is over", what);
  }
  if (now >= (actor.end ?? Number.POSITIVE_INFINITY) - reserve) {
    book.violate("nothing is started in the reserve of a run", what);
  }
  if (isOver(letter) && letter.receipt?.state !== "cancelled") {
    book.violate("nothing is posted after its ending", `${what}, which is ${letter.receipt?.state}`);
  }
  if (letter.cancelledAt !== undefined && serving.since > letter.cancelledAt) {
    book.violate("what was cancelled is not posted", what);
  }
  if (serving.toldCancelled) book.violate("a cancel stops a run that is under way", what);
  if (serving.sinceLook.has(id)) book.violate("a run looks for a cancel before it sends again", what);
  serving.sinceLook.add(id);
  // A page, and twice what was busy: at the end, and if there is no room to remember more of them.
  if (serving.sinceLook.size > 2 * (pageSize + pendingLimit)) {
    book.violate("a run looks for a cancel before each page", what);
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
