import { contains, sortKey, WHOLE } from "../shared/domain/hash-range.ts";
import type { Job, MessageId } from "../shared/domain/message.ts";
import { fold, MESSAGE_PART, partOf, type Receipt, type ReceiptRow } from "../shared/domain/receipt.ts";
import type { ConnectionId, UserId } from "../shared/domain/tag.ts";
import type { Target } from "../shared/domain/target.ts";
import type { Claim, Lease, Outcome, PostEnding, Settled } from "../shared/ports.ts";
import { type Gateway, isFor, type Socket } from "./gateway.ts";
import {
  type Arrival,
  isOver,
  type Letter,
  NO_COUNTS,
  nameOf,
  type Post,
  plus,
  type Serving,
} from "./letter.ts";
import { SKEW } from "./network.ts";
import type { Actor, Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

/** Sees everything and holds it against the promises. */
export interface Witness {
  /** A POST starts. */
  posts(producer: UserId, id: MessageId, target: Target): Letter;
  queued(job: Job): void;
  claimed(actor: Actor, job: Job, lease: Lease, claim: Claim): void;
  settling(actor: Actor, job: Job): Serving | undefined;
  settled(serving: Serving | undefined, outcome: Outcome, settled: Settled): void;
  posting(actor: Actor, id: ConnectionId, frame: Uint8Array): Post;
  landed(post: Post, socket: Socket, lied: boolean): void;
  posted(post: Post, ending: PostEnding): void;
  cancelling(producer: UserId, id: MessageId): void;
  /** A cancel was answered. */
  cancelled(producer: UserId, id: MessageId): void;
  /** What a socket is, or what its client knows of its tags, has changed. */
  changed(socket: Socket): void;
  violate(rule: string, detail: string): void;
  /** Looks at the receipts that were written since the last look. */
  look(): void;
  readonly letters: readonly Letter[];
  readonly violation: Violation | undefined;
  readonly peakPosts: number;
  readonly peakPostsInRun: number;
  readonly repeats: number;
  /** Frames that reached a new socket because the gateway had given it the id of an old one. */
  readonly misdirected: number;
}

export interface WitnessWorld {
  readonly scheduler: Pick<Scheduler, "now">;
  readonly trace: Trace;
  readonly gateway: Gateway;
  readonly rowsOf: (producer: UserId, id: MessageId) => readonly ReceiptRow[];
  readonly postsInFlight: number;
  readonly visibilitySeconds: number;
}

/** The rules that are looked after at every step. */
export function witnessOf(world: WitnessWorld): Witness {
  const { gateway, trace } = world;
  const now = () => world.scheduler.now();
  const letters: Letter[] = [];
  const byCopy = new Map<string, Letter>();
  const current = new Map<string, Letter>();
  const dirty = new Map<string, Pick<Letter, "producer" | "id">>();
  const inFlight = new Map<Actor, number>();
  const found: { violation: Violation | undefined } = { violation: undefined };
  const totals = { peakPosts: 0, peakPostsInRun: 0, repeats: 0, misdirected: 0 };

  const violate = (rule: string, detail: string) => {
    if (found.violation) return;
    found.violation = { rule, detail };
    trace.note("VIOLATION", rule, () => detail);
  };
  const touch = (of: Pick<Letter, "producer" | "id">) => dirty.set(`${of.producer}#${of.id}`, of);
  const letterOf = ({ message }: Job) => byCopy.get(message.copy);

  const ended = (letter: Letter, receipt: Receipt) => {
    const { state, failed = [], counts } = receipt;
    trace.note("receipt", nameOf(letter), () => `${state} ${JSON.stringify(counts)}`);
    const { sent, gone, failed: refused } = letter.tally;
    if (
      state !== "cancelled" &&
      (sent !== counts.sent || gone !== counts.gone || refused !== counts.failed)
    ) {
      violate(
        "the receipt counts what happened",
        `${nameOf(letter)} says ${JSON.stringify(counts)}, settled runs had ${JSON.stringify(letter.tally)}`,
      );
    }
    if (state === "expired" && now() + SKEW < (letter.message?.expiresAt ?? Number.POSITIVE_INFINITY)) {
      violate("only what is past its deadline expires", nameOf(letter));
    }
    if (state === "cancelled" && !letter.cancelAsked)
      violate("only what is cancelled ends cancelled", nameOf(letter));
    if (state !== "delivered" && state !== "partial" && state !== "no-recipients") return;
    const named = new Set(failed);
    const missing = [...letter.must].filter(
      (socket) => !letter.arrivals.has(socket) && !named.has(socket.connectionId),
    );
    if (missing.length > counts.failed - failed.length) {
      const ids = missing.map(({ connectionId }) => connectionId).slice(0, 5);
      violate(
        "everyone subscribed throughout gets it, or is named as failed",
        `${nameOf(letter)} is ${state}, but ${missing.length} got nothing: ${ids.join(", ")}`,
      );
    }
  };

  const repeatable = (letter: Letter, socket: Socket) => {
    if (letter.arrivals.get(socket)?.every(isExcuse) ?? true) return;
    violate(
      "a frame repeats only after a crash, a lie or a failed write",
      `${socket.connectionId} gets ${nameOf(letter)} again`,
    );
  };

  const lookAt = ({ producer, id }: Pick<Letter, "producer" | "id">) => {
    const rows = world.rowsOf(producer, id);
    const copy = rows.find(({ part }) => part === MESSAGE_PART)?.copy;
    const letter = copy === undefined ? undefined : byCopy.get(copy);
    const receipt = fold(rows, now());
    if (!letter || !receipt) return;
    const before = current.get(`${producer}#${id}`);
    if (before && before !== letter) {
      const window = Date.parse(before.message?.time ?? "") + (before.message?.dedupeSeconds ?? 0) * 1000;
      if (Date.parse(letter.message?.time ?? "") < window) {
        violate(
          "same id, same message",
          `${nameOf(letter)} took the place of ${nameOf(before)} in its window`,
        );
      }
      // By the clock of the run that replaced it, which may be ahead.
      const last = fold(before.rows, now() + 2 * SKEW);
      if (last) before.receipt = last;
      const state = last?.state;
      if (state === "delivering" || state === "retrying") {
        violate(
          "every message ends",
          `${nameOf(letter)} took the place of ${nameOf(before)}, which had not ended`,
        );
      }
    }
    current.set(`${producer}#${id}`, letter);
    const was = letter.receipt?.state;
    const over = isOver(letter);
    letter.receipt = receipt;
    letter.rows = rows;
    if (over && was !== receipt.state) {
      violate("an ending never changes", `${nameOf(letter)} was ${was} and is ${receipt.state}`);
    } else if (!over && isOver(letter)) {
      ended(letter, receipt);
    }
  };

  return {
    letters,
    violate,
    get violation() {
      return found.violation;
    },
    get peakPosts() {
      return totals.peakPosts;
    },
    get peakPostsInRun() {
      return totals.peakPostsInRun;
    },
    get repeats() {
      return totals.repeats;
    },
    get misdirected() {
      return totals.misdirected;
    },
    posts(producer, id, target) {
      const sockets = gateway.sockets.filter(({ state }) => state !== "closed");
      const letter: Letter = {
        number: letters.length,
        producer,
        id,
        target,
        postedAt: now(),
        accepted: false,
        must: new Set(sockets.filter((socket) => socket.state === "open" && isFor(target, socket, "surely"))),
        may: new Set(sockets.filter((socket) => isFor(target, socket, "possibly"))),
        arrivals: new Map(),
        servings: [],
        rows: [],
        tally: NO_COUNTS,
        cancelAsked: false,
      };
      letters.push(letter);
      return letter;
    },
    queued(job) {
      const { message } = job;
      const letter = letters[(message.data as { number: number }).number];
      if (!letter) return violate("the queue holds what was posted", JSON.stringify(message));
      letter.message ??= message;
      byCopy.set(message.copy, letter);
    },
    claimed(actor, job, lease, claim) {
      const letter = letterOf(job);
      if (!letter) return;
      touch(letter);
      const part = partOf(job);
      const others = letter.servings.filter((serving) => serving.part === part);
      const holder = others.at(-1);
      if (claim.kind === "over" && letter.servings.length === 0) {
        if (claim.why === "duplicate" || claim.why === "cancelled") letter.dropped = claim.why;
      }
      if (
        claim.kind === "leased" &&
        holder &&
        now() > holder.since + world.visibilitySeconds * 1000 + 2 * SKEW
      ) {
        violate(
          "a lease is no longer than the visibility timeout",
          `${nameOf(letter)} is held by ${holder.actor.name}`,
        );
      }
      if (claim.kind !== "claimed" || others.some(({ run }) => run === lease.run)) return;
      if (others.some((serving) => serving.state === "serving" && serving.actor.alive)) {
        violate(
          "one run at a time holds a job",
          `${actor.name} and ${holder?.actor.name} hold ${nameOf(letter)}`,
        );
      }
      letter.servings.push({
        letter,
        actor,
        run: lease.run,
        receive: lease.receive,
        part,
        range: job.range ?? WHOLE,
        since: now(),
        state: "serving",
        counts: NO_COUNTS,
      });
    },
    settling(actor, job) {
      const part = partOf(job);
      const serving = letterOf(job)?.servings.findLast((one) => one.actor === actor && one.part === part);
      if (serving?.state === "serving") serving.state = "settling";
      return serving;
    },
    settled(serving, outcome, settled) {
      if (!serving) return;
      touch(serving.letter);
      if (settled !== "written" || serving.state === "settled") return;
      serving.state = "settled";
      if (outcome.kind !== "split") serving.letter.tally = plus(serving.letter.tally, serving.counts);
    },
    posting(actor, id, frame) {
      const { number } = (JSON.parse(new TextDecoder().decode(frame)) as { data: { number: number } }).data;
      const letter = letters[number];
      const key = sortKey(id);
      // A claim whose answer was lost may overlap: then the narrower job is the one that is served.
      const [serving] = (letter?.servings ?? [])
        .filter((one) => one.actor === actor && one.state === "serving" && contains(one.range, key))
        .toSorted((a, b) => (a.range.from > b.range.from || a.range.to < b.range.to ? -1 : 1));
      const post: Post = { letter, serving, actor };
      if (!letter || !actor.alive) return post;
      if (!serving)
        violate("only a run that holds the job posts", `${actor.name} posts ${nameOf(letter)} to ${id}`);
      if (now() + actor.skew >= (letter.message?.expiresAt ?? Number.POSITIVE_INFINITY)) {
        violate("nothing is posted after its deadline", `${actor.name} posts ${nameOf(letter)} to ${id}`);
      }
      if (isOver(letter) && letter.receipt?.state !== "cancelled") {
        violate(
          "nothing is posted after its ending",
          `${actor.name} posts ${nameOf(letter)} to ${id}, which is ${letter.receipt?.state}`,
        );
      }
      if (serving && letter.cancelledAt !== undefined && serving.since > letter.cancelledAt) {
        violate("what was cancelled is not posted", `${actor.name} posts ${nameOf(letter)} to ${id}`);
      }
      const socket = gateway.at(id);
      if (socket) repeatable(letter, socket);
      const posts = (inFlight.get(actor) ?? 0) + 1;
      inFlight.set(actor, posts);
      if (posts > world.postsInFlight) violate("posts in flight are bounded", `${actor.name} has ${posts}`);
      totals.peakPostsInRun = Math.max(totals.peakPostsInRun, posts);
      let all = 0;
      for (const [run, count] of inFlight) {
        if (run.alive) all += count;
        else inFlight.delete(run);
      }
      totals.peakPosts = Math.max(totals.peakPosts, all);
      return post;
    },
    posted({ actor, serving }, { kind }) {
      inFlight.set(actor, (inFlight.get(actor) ?? 1) - 1);
      if (!serving || kind === "busy") return;
      const field = kind === "refused" ? "failed" : kind;
      serving.counts = { ...serving.counts, [field]: serving.counts[field] + 1 };
    },
    landed({ letter, serving }, socket, lied) {
      if (!letter) return;
      if (!letter.may.has(socket)) {
        const { connectionId } = socket;
        const heir = gateway.sockets.some(
          (old) => old !== socket && old.connectionId === connectionId && isFor(letter.target, old, "once"),
        );
        if (heir) totals.misdirected++;
        else violate("nobody outside the target gets it", `${connectionId} got ${nameOf(letter)}`);
      }
      const earlier = letter.arrivals.get(socket) ?? [];
      if (earlier.length > 0) totals.repeats++;
      if (!lied) repeatable(letter, socket);
      letter.arrivals.set(socket, [...earlier, { serving, lied }]);
    },
    cancelling(producer, id) {
      touch({ producer, id });
      for (const letter of letters) {
        if (letter.producer === producer && letter.id === id) letter.cancelAsked = true;
      }
    },
    cancelled(producer, id) {
      const copy = world.rowsOf(producer, id).find(({ part }) => part === MESSAGE_PART)?.copy;
      const letter = copy === undefined ? undefined : byCopy.get(copy);
      if (letter && letter.receipt?.state !== "dead") letter.cancelledAt ??= now();
    },
    changed(socket) {
      for (const letter of letters) {
        const open = socket.state === "open";
        if (!open || !isFor(letter.target, socket, "surely")) letter.must.delete(socket);
        if (socket.state !== "closed" && isFor(letter.target, socket, "possibly")) letter.may.add(socket);
      }
    },
    look() {
      for (const of of dirty.values()) lookAt(of);
      dirty.clear();
    },
  };
}

/** Whether a frame may come again after this one: nobody knew that it had arrived, or whoever knew could not write it. */
const isExcuse = ({ lied, serving }: Arrival): boolean =>
  lied || serving?.state === "settling" || (serving?.state === "serving" && !serving.actor.alive);
