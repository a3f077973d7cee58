import type { SendResult } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import type { Withdrawal } from "../../shared/receipts/claimability.ts";
import type { Job } from "../../shared/receipts/job.ts";
import type { Socket } from "../world/gateway.ts";
import type { Actor } from "../world/scheduler.ts";
import { mayHaveLeft } from "./audience.ts";
import { contentOf } from "./content.ts";
import { flawOf } from "./frames.ts";
import { type History, recordOf } from "./history.ts";
import { holds, partName } from "./key.ts";
import {
  type Arrival,
  isOver,
  type JobRun,
  type MessageRecord,
  nameOf,
  type Post,
} from "./message-record.ts";

export interface SendWatch {
  posting(actor: Actor, id: ConnectionId, frame: Uint8Array): Post;
  /** A frame has reached a client. */
  landed(post: Post, socket: Socket, lied: boolean): void;
  /** The run has its answer. */
  posted(post: Post, ending: SendResult): void;
  /** A run that has asked since then has been told whether its message is cancelled or replaced. */
  looked(actor: Actor, job: Job, withdrawn: Withdrawal | undefined, since: number): void;
  readonly totals: {
    peakSends: number;
    peakSendsInRun: number;
    repeats: number;
    /** Frames that reached a new socket because the gateway had given it the id of an old one. */
    misdirected: number;
  };
}

/** Rules on every post when it starts, and on every frame when it arrives. */
export function watchSends(book: History): SendWatch {
  const { sendsInFlight } = book.settings.advanced;
  const inFlight = new Map<Actor, number>();
  const totals = { peakSends: 0, peakSendsInRun: 0, repeats: 0, misdirected: 0 };

  const count = (actor: Actor) => {
    const sends = (inFlight.get(actor) ?? 0) + 1;
    inFlight.set(actor, sends);
    if (sends > sendsInFlight) book.violate("sends in flight are bounded", `${actor.name} has ${sends}`);
    let all = 0;
    for (const [run, some] of inFlight) {
      if (run.alive) all += some;
      else inFlight.delete(run);
    }
    totals.peakSendsInRun = Math.max(totals.peakSendsInRun, sends);
    totals.peakSends = Math.max(totals.peakSends, all);
  };

  /** In the simulation all topics keep a stream, or none. */
  const keepsStream = ({ target }: MessageRecord) =>
    ("topic" in target && book.settings.streams.length > 0) ||
    ("user" in target && book.settings.userStreams !== undefined);

  const mayRepeat = (record: MessageRecord, socket: Socket) => {
    if (record.arrivals.get(socket)?.every(isExcuse) ?? true) return;
    book.violate(
      "a frame repeats only after a crash, a lie or a failed write",
      `${socket.connectionId} gets ${nameOf(record)} again`,
    );
  };

  return {
    totals,
    posting(actor, id, frame) {
      const text = new TextDecoder().decode(frame);
      const { number } = contentOf((JSON.parse(text) as { data: unknown }).data);
      const record = book.records[number];
      const jobRun = record && jobRunOf(record, actor, id);
      const post = { record, jobRun, actor, id };
      if (record && actor.alive) {
        count(actor);
        const flaw = flawOf(record, text, keepsStream(record));
        if (flaw) book.violate("the frame is what was posted", flaw);
        if (jobRun) checkStart(book, { ...post, record, jobRun });
        else book.violate("only a run that holds the job sends", `${actor.name} sends ${nameOf(record)}`);
        const socket = book.gateway.at(id);
        if (socket) mayRepeat(record, socket);
      }
      return post;
    },
    posted({ actor, jobRun, id }, result) {
      inFlight.set(actor, (inFlight.get(actor) ?? 1) - 1);
      if (!jobRun) return;
      jobRun.answered.add(id);
      const { kind } = result;
      if (kind === "throttled" || kind === "unavailable") return;
      const field = kind === "refused" ? "failed" : kind;
      jobRun.counts = { ...jobRun.counts, [field]: jobRun.counts[field] + 1 };
    },
    landed({ record, jobRun }, socket, lied) {
      if (!record) return;
      if (!record.audience.may(socket)) {
        if (inherits(book, record, socket)) totals.misdirected++;
        else book.violate("only the target gets it", `${socket.connectionId} got ${nameOf(record)}`);
      }
      const earlier = record.arrivals.get(socket) ?? [];
      if (earlier.length > 0) totals.repeats++;
      if (!lied) mayRepeat(record, socket);
      record.arrivals.set(socket, [...earlier, { jobRun, lied, at: book.now() }]);
    },
    looked(actor, job, withdrawn, since) {
      const part = partName(job.range);
      const record = recordOf(book, job);
      if (record?.cancel && !withdrawn && !isOver(record) && record.cancel.writtenAt < since) {
        book.violate("who looks for a cancel sees it", `${actor.name}: ${nameOf(record)}`);
      }
      if (record && withdrawn && !isWithdrawn(book, record, withdrawn)) {
        book.violate(
          "only a cancel cancels, and a later message replaces",
          `${nameOf(record)} is ${withdrawn}`,
        );
      }
      for (const jobRun of record?.jobRuns ?? []) {
        if (jobRun.actor !== actor || jobRun.part !== part) continue;
        jobRun.sinceLook.clear();
        if (withdrawn) jobRun.toldWithdrawn = true;
      }
    },
  };
}

const isWithdrawn = (book: History, record: MessageRecord, why: Withdrawal): boolean =>
  why === "cancelled" ? record.cancelAsked : book.nameOf(record.producer, record.id).shown !== record;

/** A claim whose answer was lost may overlap with another: then the narrower job is the one that is served. */
function jobRunOf(record: MessageRecord, actor: Actor, id: ConnectionId): JobRun | undefined {
  const jobRun = record.jobRuns.filter(
    (one) => one.actor === actor && one.state === "processing" && (!one.range || holds(one.range, id)),
  );
  const from = ({ range }: JobRun) => range?.from ?? "";
  const to = ({ range }: JobRun) => range?.to ?? "g";
  return jobRun.toSorted((a, b) => (from(a) > from(b) || to(a) < to(b) ? -1 : 1))[0];
}

function checkStart(
  book: History,
  { record, jobRun, actor, id }: Post & { record: MessageRecord; jobRun: JobRun },
) {
  const what = `${actor.name} sends ${nameOf(record)} to ${id}`;
  const now = Math.floor(book.now() + actor.skew);
  const { reserveMilliseconds: reserve, pageSize, pendingLimit } = book.settings.advanced;
  if (now >= (record.message?.expiresAt ?? Number.POSITIVE_INFINITY)) {
    book.violate("nothing is posted after its deadline", what);
  }
  if (book.now() < record.postedAt + (record.delaySeconds ?? 0) * 1000) {
    book.violate("nothing is posted before its delay is over", what);
  }
  if (now >= (actor.end ?? Number.POSITIVE_INFINITY) - reserve) {
    book.violate("nothing is started in the reserve of a run", what);
  }
  if (isOver(record) && record.receipt?.state !== "cancelled") {
    book.violate("nothing is posted after its ending", `${what}, which is ${record.receipt?.state}`);
  }
  if (record.cancelledAt !== undefined && jobRun.since > record.cancelledAt) {
    book.violate("what was cancelled is not posted", what);
  }
  if (jobRun.toldWithdrawn) book.violate("a cancel stops a run that is under way", what);
  if (jobRun.sinceLook.has(id)) book.violate("a run looks for a cancel before it sends again", what);
  jobRun.sinceLook.add(id);
  // A page, and twice what was busy: at the end, and if there is no room to remember more of them.
  if (jobRun.sinceLook.size > 2 * (pageSize + pendingLimit)) {
    book.violate("a run looks for a cancel before each page", what);
  }
}

/** A post names an id only, so a frame for an old socket reaches the new one that got its id. */
const inherits = ({ gateway }: History, { target, audience }: MessageRecord, socket: Socket): boolean =>
  gateway.sockets.some(
    (old) =>
      old !== socket &&
      old.connectionId === socket.connectionId &&
      (audience.may(old) || mayHaveLeft(target, old)),
  );

/** Whether a frame may come again after this one: no run knew that it had arrived, or the run that knew could not write it. */
const isExcuse = ({ lied, jobRun }: Arrival): boolean =>
  lied || jobRun?.state === "settling" || (jobRun?.state === "processing" && !jobRun.actor.alive);
