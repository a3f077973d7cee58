import type { LogFields, Outcome, Telemetry } from "../../ports.ts";
import { acceptedAt, type Message } from "../../protocol/message.ts";
import { loggedTarget } from "../../protocol/target.ts";
import type { Job } from "../../receipts/job.ts";
import type { Received } from "./record.ts";

/** Connections that a record of the log names at most; the receipt names more. */
const NAMED = 10;

/** When a message was to be delivered at the earliest, in milliseconds since 1970. */
export const dueAt = (message: Message): number => message.dueAt ?? acceptedAt(message);

/** What every record of the log says of a job. */
export const jobFields = (
  { message, range }: Job,
  { lane, receive }: Pick<Received, "lane" | "receive">,
  runId: string | undefined,
): LogFields => ({
  messageId: message.id,
  producer: message.producer,
  ...(runId === undefined ? {} : { runId }),
  lane,
  receive,
  ...(range === undefined ? {} : { range: `${range.from}-${range.to}` }),
  ...(message.traceparent === undefined ? {} : { traceparent: message.traceparent }),
});

/** Logs what a run wrote of a job: a message that is dead is a warning, and all else a step. */
export function logOutcome(
  { warn, info }: Pick<Telemetry, "warn" | "info">,
  job: Job,
  fields: () => LogFields,
  outcome: Outcome,
  now: number,
): void {
  const isDead = outcome.kind === "ended" && outcome.ending === "dead";
  if (outcome.kind === "queued" || !(info || isDead)) return;
  const what = job.range === undefined ? "message" : "job";
  const all = {
    target: loggedTarget(job.message.target),
    milliseconds: now - acceptedAt(job.message),
    ...fields(),
    ...outcomeFields(outcome),
  };
  if (isDead) warn(`${what} dead`, all);
  else if (outcome.kind === "ended") info?.(`${what} ${outcome.ending}`, all);
  else info?.(outcome.kind === "split" ? `${what} split` : `${what} to be tried again`, all);
}

function outcomeFields(outcome: Exclude<Outcome, { kind: "queued" }>): LogFields {
  if (outcome.kind === "split") return { jobs: outcome.ranges.length };
  const { counts, pending, failed } = outcome.progress;
  const connections = [...pending.map(({ connectionId }) => connectionId), ...failed].slice(0, NAMED);
  return {
    sent: counts.sent,
    gone: counts.gone,
    failed: counts.failed,
    ...(pending.length > 0 ? { pending: pending.length } : {}),
    ...(connections.length > 0 ? { connectionIds: connections } : {}),
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
  };
}
