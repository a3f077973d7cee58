import { describe, expect, test } from "vitest";
import type { Received } from "../../shared/pipeline/consume/record.ts";
import { noteOutcome } from "../../shared/pipeline/consume/settle.ts";
import type { Outcome } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { split, WHOLE } from "../../shared/receipts/hash-range.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { type JobEnding, NO_PROGRESS, type Progress } from "../../shared/receipts/receipt.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { aJob, NOW } from "../support/message.ts";

const RECORD: Received = {
  messageId: "record",
  lane: "low",
  body: "the body",
  receive: 2,
  receiptHandle: "handle",
};
const JOB = aJob();
const SAID = {
  ...{ messageId: "m-1", producer: "ann", runId: "run-1", lane: "low", receive: 2 },
  ...{ target: "topic:orders", milliseconds: 700 },
};
const COUNTED = { sent: 3, gone: 2, failed: 1 };
const progress: Progress = { ...NO_PROGRESS, counts: COUNTED };
const ended = (ending: JobEnding, more: object = {}) =>
  ({ kind: "ended", ending, progress, ...more }) as Outcome;

/** What a run says of an outcome that it wrote 700 ms after the message was accepted. */
function said(outcome: Outcome, job: Job = JOB, by: { readonly runId?: string } = { runId: "run-1" }) {
  const telemetry = memoryTelemetry();
  noteOutcome({ telemetry }, { record: RECORD, job, found: progress, ...by } as never, outcome, NOW + 700);
  return telemetry;
}

describe("the log says of a message what a run wrote of it", () => {
  test.each(["delivered", "partial", "no-recipients", "expired", "cancelled"] as const)("%s", (ending) => {
    const { steps, warnings } = said(ended(ending));
    expect(steps).toEqual([{ event: `message ${ending}`, fields: { ...SAID, ...COUNTED } }]);
    expect(warnings).toEqual([]);
  });

  test("dead is a warning, with its reason", () => {
    const { steps, warnings } = said(ended("dead", { reason: "why" }));
    expect(warnings).toEqual([{ event: "message dead", fields: { ...SAID, ...COUNTED, reason: "why" } }]);
    expect(steps).toEqual([]);
  });

  test("to be tried again, with the first ten connections that are pending or failed", () => {
    const pending = Array.from({ length: 7 }, (_, i) => ({
      connectionId: `p${i}=` as ConnectionId,
      connectedAt: NOW,
    }));
    const failed = Array.from({ length: 5 }, (_, i) => `f${i}=` as ConnectionId);
    const [step] = said({ kind: "retry", progress: { ...progress, pending, failed }, reason: "429" }).steps;
    expect(step?.event).toBe("message to be tried again");
    const connectionIds = ["p0=", "p1=", "p2=", "p3=", "p4=", "p5=", "p6=", "f0=", "f1=", "f2="];
    expect(step?.fields).toEqual({ ...SAID, ...COUNTED, pending: 7, connectionIds, reason: "429" });
  });

  test("split, with the number of its jobs", () => {
    expect(said({ kind: "split", ranges: split(WHOLE, 3) }).steps).toEqual([
      { event: "message split", fields: { ...SAID, jobs: 3 } },
    ]);
  });

  test("and nothing of a split whose jobs are queued, since the split was said", () => {
    const { steps, warnings } = said({ kind: "queued" });
    expect([...steps, ...warnings]).toEqual([]);
  });

  test("a job of a split message is a job, with its range", () => {
    const job = { ...JOB, range: { from: "40", to: "80" } };
    expect(said(ended("delivered"), job).steps).toEqual([
      { event: "job delivered", fields: { ...SAID, ...COUNTED, range: "40-80" } },
    ]);
    expect(said({ kind: "retry", progress, reason: "429" }, job).steps[0]?.event).toBe(
      "job to be tried again",
    );
  });

  test("its trace, and no run where none has a name", () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { runId: _, ...rest } = SAID;
    const [step] = said(ended("delivered"), aJob({ traceparent } as never), {}).steps;
    expect(step?.fields).toEqual({ ...rest, ...COUNTED, traceparent });
    expect(step?.fields).not.toHaveProperty("runId");
  });

  test("where steps are not logged, what is dead is a warning all the same, and nothing else is said", () => {
    const all = memoryTelemetry();
    const { info: _, ...telemetry } = all;
    const claimed = { record: RECORD, job: JOB, runId: "run-1", found: progress } as never;
    noteOutcome({ telemetry }, claimed, ended("delivered"), NOW);
    noteOutcome({ telemetry }, claimed, { kind: "split", ranges: split(WHOLE, 2) }, NOW);
    noteOutcome({ telemetry }, claimed, ended("dead"), NOW);
    expect(all.warnings.map(({ event }) => event)).toEqual(["message dead"]);
    expect(all.steps).toEqual([]);
  });
});

test.each<{ ending: JobEnding; delay?: number; measured: number[] }>([
  { ending: "delivered", measured: [700] },
  { ending: "partial", measured: [700] },
  { ending: "delivered", delay: 500, measured: [200] },
  { ending: "expired", measured: [] },
  { ending: "no-recipients", measured: [] },
])("the time to the last send is measured from when a message was due: $ending, delayed $delay", ({
  ending,
  delay,
  measured,
}) => {
  const telemetry = said(ended(ending), aJob(delay === undefined ? {} : { dueAt: NOW + delay }));
  expect(telemetry.measured).toEqual(
    measured.map((value) => ({ metric: "TimeToLastSend", value, lane: "low" })),
  );
  expect(telemetry.total("Endings")).toBe(1);
});
