import { describe, expect, test } from "vitest";
import type { Received } from "../../shared/pipeline/consume/record.ts";
import { settle } from "../../shared/pipeline/consume/settle.ts";
import type { Outcome, Settled } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { split, WHOLE } from "../../shared/receipts/hash-range.ts";
import { NO_PROGRESS, type Progress } from "../../shared/receipts/receipt.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { lease as leaseOf } from "../contract/receipt-parts.ts";
import { aJob, NOW } from "../support/message.ts";

const FOUND: Progress = { ...NO_PROGRESS, counts: { sent: 3, gone: 0, failed: 0 } };
const LATER: Progress = {
  ...NO_PROGRESS,
  counts: { sent: 7, gone: 0, failed: 0 },
  pending: [{ connectionId: "c1=" as ConnectionId, connectedAt: NOW }],
};
const REPLACED: Outcome = { kind: "ended", ending: "replaced", progress: LATER };
const RETRY: Outcome = { kind: "retry", progress: LATER, reason: "429" };
const DELIVERED: Outcome = { kind: "ended", ending: "delivered", progress: LATER };
const DEAD: Outcome = { kind: "ended", ending: "dead", progress: LATER };
const SPLIT: Outcome = { kind: "split", ranges: split(WHOLE, 3) };
const QUEUED: Outcome = { kind: "queued" };
const cancelled = (progress: Progress): Outcome => ({ kind: "ended", ending: "cancelled", progress });

const RECORD: Received = {
  messageId: "record",
  lane: "low",
  body: "the body",
  receive: 1,
  receiptHandle: "handle",
};

/** Settles an outcome at a table whose writes return these results, one after the other. */
async function settled(outcome: Outcome, results: readonly Settled[], fanoutStores = true) {
  const written: Outcome[] = [];
  const [queue, telemetry] = [memoryQueue(), memoryTelemetry()];
  const receipts = {
    async settle(_job: unknown, run: string, next: Outcome, now: number): Promise<Settled> {
      expect([run, now]).toEqual(["run-1", NOW]);
      written.push(next);
      return results[written.length - 1] ?? "written";
    },
  };
  const { send } = queue;
  queue.send = async (lane, entries) => {
    const stored = await send(lane, entries);
    return fanoutStores ? stored : stored.map((_, index) => index > 0);
  };
  const claimed = { record: RECORD, job: aJob(), lease: leaseOf("run-1"), found: FOUND };
  const emptied: number[] = [];
  const empty = async () => void emptied.push(written.length);
  const deps = { receipts, queue, telemetry, clock: { now: () => NOW }, empty };
  const result = await settle(deps, claimed, outcome, () => ({ kind: "again", seconds: 7 }));
  const counts = ["Retries", "Endings", "DeadLetters"] as const;
  return {
    result,
    written,
    emptied,
    queue,
    counted: counts.filter((metric) => telemetry.total(metric) === 1),
  };
}

describe("an outcome that is written", () => {
  test.each([
    { outcome: DELIVERED, result: { kind: "done" }, counted: ["Endings"] },
    { outcome: DEAD, result: { kind: "done" }, counted: ["Endings", "DeadLetters"] },
    { outcome: RETRY, result: { kind: "again", seconds: 7 }, counted: ["Retries"] },
  ])("$outcome.kind $outcome.ending: SQS is told, and it is counted", async ({
    outcome,
    result,
    counted,
  }) => {
    const under = await settled(outcome, ["written"]);
    expect(under.result).toEqual(result);
    expect(under.written).toEqual([outcome]);
    expect(under.counted).toEqual(counted);
  });

  test.each([
    { reason: "5 runs died", text: "5 runs died" },
    { reason: undefined, text: "its connections stayed busy" },
  ])("as dead is a dead letter of its lane, with the reason: $text", async ({ reason, text }) => {
    const { queue } = await settled({ ...DEAD, ...(reason ? { reason } : {}) } as Outcome, []);
    expect(queue.deadLetters).toEqual([{ lane: "low", body: "the body", reason: text }]);
  });

  test("as anything but dead is no dead letter", async () => {
    for (const outcome of [DELIVERED, RETRY, SPLIT]) {
      expect((await settled(outcome, [])).queue.deadLetters).toEqual([]);
    }
  });
});

describe("the data of a message in its stream", () => {
  test.each([
    "cancelled",
    "expired",
  ] as const)("is taken out before the ending is written, since nobody takes over a message that has ended: %s", async (ending) => {
    const { emptied } = await settled({ kind: "ended", ending, progress: FOUND }, ["written"]);
    expect(emptied).toEqual([0]);
  });

  test("is taken out if a cancel came before a retry", async () => {
    expect((await settled(RETRY, ["cancelled", "written"])).emptied).toEqual([1]);
  });

  test.each([DELIVERED, DEAD, REPLACED, RETRY, SPLIT])("stays otherwise: $kind $ending", async (outcome) => {
    expect((await settled(outcome, ["written"])).emptied).toEqual([]);
  });
});

describe("an outcome that another run supersedes", () => {
  test.each([DELIVERED, DEAD, RETRY, SPLIT])("has no effect: $kind $ending", async (outcome) => {
    const under = await settled(outcome, ["superseded"]);
    expect(under.result).toEqual({ kind: "again" });
    expect(under.written).toEqual([outcome]);
    expect(under.counted).toEqual([]);
    expect([...under.queue.deadLetters, ...under.queue.lanes["fanout-normal"]]).toEqual([]);
  });
});

describe("a cancel that came before the outcome", () => {
  test.each([
    { outcome: RETRY, progress: LATER },
    { outcome: SPLIT, progress: FOUND },
  ])("ends the message as cancelled, with what was sent: $outcome.kind", async ({ outcome, progress }) => {
    const under = await settled(outcome, ["cancelled", "written"]);
    expect(under.written).toEqual([outcome, cancelled(progress)]);
    expect(under.result).toEqual({ kind: "done" });
    expect(under.counted).toEqual(["Endings"]);
    expect(under.queue.lanes["fanout-normal"]).toEqual([]);
  });

  test("ends nothing if another run has the lease by then", async () => {
    const under = await settled(RETRY, ["cancelled", "superseded"]);
    expect(under.result).toEqual({ kind: "again" });
    expect(under.counted).toEqual([]);
  });
});

describe("a split", () => {
  test("is written before its jobs are queued, and that they are queued after it", async () => {
    const under = await settled(SPLIT, []);
    expect(under.written).toEqual([SPLIT, QUEUED]);
    expect(under.queue.lanes["fanout-normal"]).toHaveLength(3);
    expect(under.result).toEqual({ kind: "done" });
    expect(under.counted).toEqual([]);
  });

  test("of which a job was not stored comes back with the progress that it had, and says why", async () => {
    const under = await settled(SPLIT, [], false);
    expect(under.written).toEqual([
      SPLIT,
      { kind: "retry", progress: FOUND, reason: "the fanout lane did not take all jobs" },
    ]);
    expect(under.result).toEqual({ kind: "again", seconds: 7 });
    expect(under.counted).toEqual(["Retries"]);
  });

  test("whose jobs are queued when its lease is lost is left to the other run", async () => {
    const under = await settled(SPLIT, ["written", "superseded"]);
    expect(under.result).toEqual({ kind: "again" });
  });
});
