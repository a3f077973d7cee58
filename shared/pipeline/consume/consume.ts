import pLimit, { type LimitFunction } from "p-limit";
import type { Clock, Lease, LogFields, MessageQueue, Receipts } from "../../ports.ts";
import { MAX_RECEIVES } from "../../protocol/limits.ts";
import { WHOLE } from "../../receipts/hash-range.ts";
import type { Job } from "../../receipts/job.ts";
import type { ReadBody } from "../../receipts/job-body.ts";
import { NO_PROGRESS } from "../../receipts/receipt.ts";
import { partOf } from "../../receipts/row.ts";
import { CLOCK_MARGIN } from "../../settings/policy.ts";
import type { FirstPages } from "../route/tag-list.ts";
import { openAhead } from "./open-ahead.ts";
import { processClaimed } from "./process-claimed.ts";
import type { ProcessJobDeps } from "./process-job.ts";
import { bodyTextOf, DONE, type Received, type RecordResult, readRecord } from "./record.ts";
import { type RunStreams, type RunStreamsDeps, runStreams } from "./run-streams.ts";
import { noteOutcome, type SettleDeps, settle } from "./settle.ts";
import { isSpared, type Spared, writeSpared } from "./spare.ts";
import { jobFields } from "./steps.ts";
import type { StreamMember } from "./stream-batch.ts";
import { type Again, again, changeVisibility, secondsUntil, within } from "./visibility.ts";

export interface ConsumeDeps extends ProcessJobDeps, RunStreamsDeps {
  readonly queue: MessageQueue;
  readonly receipts: Receipts;
  /** Limits the sends in flight of all runs that share it. @default one of its own for each run */
  readonly limiter?: LimitFunction;
  /** The visibility timeout in seconds. */
  readonly visibilitySeconds: number;
  /** Maximum seconds until the next receive of a suspect that its batch does not process. @default 30 */
  readonly suspectSeconds?: number;
}

/** A run. Lambda kills it at `end`, in milliseconds since 1970. */
export interface Run {
  readonly end: number;
  /** What the run is called in the log. */
  readonly id?: string;
}

/** Seconds until the next receive of a message that a newer deployment wrote. */
const NEWER_SECONDS = 60;

const SUSPECT_SECONDS = 30;

/** The state shared by all records of a run. */
interface Shared {
  readonly deps: ConsumeDeps & Pick<SettleDeps, "empty">;
  readonly run: Run;
  readonly limiter: LimitFunction;
  /** When the run began, in milliseconds since 1970. */
  readonly startedAt: number;
  /** The end of the records' visibility timeout, if this run dies. */
  readonly returnsAt: number;
  readonly streams: RunStreams;
  /** Jobs that were delivered, and whose endings were not written since their receipts keep failures only. */
  readonly spared: Spared[];
}

/** A record that was read. */
interface Task {
  readonly record: Received;
  readonly body: ReadBody;
  /** The place of its message among those that the run appends. Absent if its target keeps no stream. */
  readonly member?: StreamMember | undefined;
}

/**
 * Processes the records of a batch concurrently. Of the suspects, whose earlier runs died, it processes one, after the
 * other records, so that a record that kills this run too delays no other. Returns the ids of the records that SQS keeps.
 */
export async function consume(
  container: ConsumeDeps,
  records: readonly Received[],
  run: Run,
): Promise<string[]> {
  const shared = sharedFor(container, run);
  const { deps } = shared;
  if (deps.gateway.isDown() && (await deps.gateway.state()) === "down") deps.telemetry.count("GatewayDown");
  const kept: string[] = [];
  const suspects: { readonly record: Received; readonly rank: number }[] = [];
  const finish = async (record: Received, result: RecordResult): Promise<void> => {
    if (result.kind === "suspect") suspects.push({ record, rank: result.deaths + deps.random() });
    if (result.kind !== "again") return;
    kept.push(record.messageId);
    if (result.seconds !== undefined) await changeVisibility(deps, record, result.seconds);
  };
  const read = records.map((record) => ({ record, body: readRecord(record) }));
  // A batch may contain a message twice: the second copy waits, and finds the outcome of the first.
  const turns = new Map<string, Promise<void>>();
  const firsts = new Map(read.toReversed().map((one) => [nameOf(one), one]));
  const members = shared.streams.members([...firsts.values()].toReversed().flatMap(jobsOf));
  const concluded = read.map((one) => {
    const name = nameOf(one);
    const task = () => (firsts.get(name) === one ? joined(members, one) : alone(shared, one));
    const turn = (turns.get(name) ?? Promise.resolve()).then(async () =>
      finish(one.record, await guarded(shared, task(), false)),
    );
    turns.set(name, turn);
    return turn;
  });
  await Promise.all(concluded);

  const hasTime = deps.clock.now() < run.end - deps.policy.reserveMilliseconds;
  const [first, ...others] = suspects.sort((a, b) => a.rank - b.rank).map(({ record }) => record);
  const waiting = hasTime || !first ? others : [first, ...others];
  const { suspectSeconds = SUSPECT_SECONDS } = deps;
  await Promise.all(waiting.map((record) => finish(record, within(suspectSeconds, deps.random()))));
  if (first && hasTime) {
    // If it kills this run, SQS returns the whole batch.
    await writeSpared(deps, shared.spared);
    const task = alone(shared, { record: first, body: readRecord(first) });
    await finish(first, await guarded(shared, task, true));
  }
  if (deps.gateway.isThrottled()) deps.telemetry.count("QuotaExhausted");
  return kept;
}

function sharedFor(container: ConsumeDeps, run: Run): Shared {
  const { policy, random, newId, limiter = pLimit(policy.sendsInFlight) } = container;
  const clock = runClock(container.clock);
  const firstPages: FirstPages = new Map();
  const startedAt = clock.now();
  const streams = runStreams(
    { streams: container.streams, clock, random, newId },
    {
      end: run.end - policy.reserveMilliseconds,
      onAppended: (stream) => void firstPages.delete(stream),
    },
  );
  return {
    deps: { firstPages, empty: streams.empty, ...container, clock },
    run,
    limiter,
    startedAt,
    returnsAt: startedAt + container.visibilitySeconds * 1000 - CLOCK_MARGIN,
    streams,
    spared: [],
  };
}

/** A clock that is not set back in a run: when the run is killed was told by the clock as it was at its start. */
function runClock(clock: Clock): Clock {
  const offset = clock.now() - clock.monotonic();
  return {
    now: () => Math.max(clock.now(), Math.floor(clock.monotonic() + offset)),
    monotonic: () => clock.monotonic(),
    pause: (milliseconds) => clock.pause(milliseconds),
  };
}

type ReadRecord = Omit<Task, "member">;

const nameOf = ({ record, body }: ReadRecord): string =>
  body.kind === "job" ? `${body.job.message.acceptanceId} ${partOf(body.job)}` : record.messageId;

const jobsOf = ({ body }: ReadRecord): readonly Job[] => (body.kind === "job" ? [body.job] : []);

const joined = (members: ReadonlyMap<Job, StreamMember>, read: ReadRecord): Task => ({
  record: read.record,
  body: read.body,
  member: read.body.kind === "job" ? members.get(read.body.job) : undefined,
});

/** A record whose message is appended by itself, since the others of the batch do not wait for it. */
const alone = ({ streams }: Shared, read: ReadRecord): Task => joined(streams.members(jobsOf(read)), read);

/** Returns a record that throws to SQS, so that it does not affect the others. */
function guarded(shared: Shared, task: Task, suspects: boolean): Promise<RecordResult> {
  const { deps } = shared;
  const { record, member } = task;
  return consumeOne(shared, task, suspects)
    .catch((fault: unknown): RecordResult => {
      deps.telemetry.count("Faults");
      deps.telemetry.warn("record failed", fieldsOf(task, shared.run), fault);
      return withinVisibility(shared, again(deps, record));
    })
    .finally(() => member?.leave());
}

async function consumeOne(shared: Shared, task: Task, suspects: boolean): Promise<RecordResult> {
  const { deps, run, limiter } = shared;
  const { record, body, member } = task;
  if (body.kind === "newer") return { kind: "again", seconds: NEWER_SECONDS };
  if (body.kind === "invalid") {
    await deps.queue.deadLetter(record.lane, bodyTextOf(record), body.reason);
    deps.telemetry.count("DeadLetters");
    deps.telemetry.warn("body not read", { ...fieldsOf(task, run), reason: body.reason });
    return DONE;
  }
  const { job } = body;
  const { message } = job;
  if (record.receive === 1 && record.sentAt !== undefined) {
    const waited = shared.startedAt - Math.max(record.sentAt, message.dueAt ?? 0);
    deps.telemetry.observe("LaneWait", Math.max(0, waited), record.lane);
  }
  const now = deps.clock.now();
  // Its neighbours, or an earlier copy of it in the batch, may have found that out.
  if (deps.gateway.isDown() && now < job.message.expiresAt) return again(deps, record);
  const after = member && now < job.message.expiresAt ? await member.after() : undefined;
  const lease: Lease = {
    run: deps.newId(),
    entryId: record.messageId,
    until: run.end + CLOCK_MARGIN,
    returnsAt: shared.returnsAt,
    receive: record.receive,
    onFinalReceive: record.receive >= MAX_RECEIVES,
    suspects,
    ...(after === undefined ? {} : { after }),
  };
  // A page that serves a message of a stream MUST be read after the message was appended.
  const opened = member ? undefined : openAhead(deps, job, record.receive);
  const claim = await deps.receipts.claim(job, lease, now);
  switch (claim.kind) {
    case "over":
      if (claim.why === "duplicate") {
        deps.telemetry.count("Duplicates");
        deps.telemetry.info?.("message dropped, its id was seen before", fieldsOf(task, run));
      }
      await emptyAt(deps, job, claim, member);
      return DONE;
    case "leased":
      return { kind: "again", seconds: secondsUntil(deps, claim.until + CLOCK_MARGIN) };
    case "suspect":
      return claim;
    case "newer":
      return { kind: "again", seconds: NEWER_SECONDS };
    case "claimed": {
      deps.telemetry.count("Claims");
      const found = claim.progress ?? { from: (job.range ?? WHOLE).from, ...NO_PROGRESS };
      const { job: numbered, outcome } = await processClaimed(
        deps,
        { job, claim, found, member, opened },
        { end: run.end, limiter, lane: record.lane, fields: () => fieldsOf(task, run) },
      );
      const claimed = { record, job: numbered, lease, found, runId: run.id };
      if (isSpared(claimed, claim, outcome)) {
        noteOutcome(deps, claimed, outcome, deps.clock.now());
        shared.spared.push({ claimed, outcome });
        return DONE;
      }
      const empty = (each: Job) =>
        emptyAt(deps, each, { seq: each.seq, after: claim.after ?? after }, member);
      const { receipts, queue, clock, telemetry } = deps;
      const own = { receipts, queue, clock, telemetry, empty };
      return settle(own, claimed, outcome, () => again(deps, record)).catch(
        (fault: unknown): RecordResult => {
          deps.telemetry.count("Faults");
          deps.telemetry.warn("outcome not written", fieldsOf(task, run), fault);
          // Until then this run's lease would refuse every claim.
          return { kind: "again", seconds: secondsUntil(deps, lease.until + CLOCK_MARGIN) };
        },
      );
    }
  }
}

/** Takes the data of a message out of its stream, wherever a run has appended it: that run may not have said where. */
async function emptyAt(
  { empty }: Pick<SettleDeps, "empty">,
  job: Job,
  { seq, after }: { readonly seq?: number | undefined; readonly after?: number | undefined },
  member: StreamMember | undefined,
): Promise<void> {
  const number = seq ?? (after === undefined ? undefined : await member?.find(after));
  if (number !== undefined) await empty({ ...job, seq: number });
}

/** What the log says of a record, whose body may not be readable. */
const fieldsOf = ({ record, body }: Pick<Task, "record" | "body">, { id: runId }: Run): LogFields =>
  body.kind === "job"
    ? jobFields(body.job, record, runId)
    : { ...(runId === undefined ? {} : { runId }), lane: record.lane, receive: record.receive };

/**
 * A claim whose response was lost may have taken the lease. So the message MUST become visible before its full
 * visibility timeout, or the next claim would count a death.
 */
function withinVisibility({ deps, returnsAt }: Shared, result: Again): Again {
  const longest = secondsUntil(deps, returnsAt - 2 * CLOCK_MARGIN);
  return { kind: "again", seconds: Math.min(result.seconds ?? longest, longest) };
}
