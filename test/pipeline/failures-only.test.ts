import { describe, expect, test } from "vitest";
import { ingest } from "../../shared/pipeline/ingest/ingest.ts";
import { readReceipt } from "../../shared/pipeline/receipts/receipts.ts";
import type { SendResult } from "../../shared/ports.ts";
import type { Identity } from "../../shared/protocol/grant.ts";
import type { Message } from "../../shared/protocol/message.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { ANN, aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

const BUSY: SendResult = { kind: "throttled", reason: "429" };
const REFUSED: SendResult = { kind: "refused", reason: "413" };

/** A consumer, and the outcomes that it writes, by message. */
function noting(overrides: Parameters<typeof consumer>[0] = {}) {
  const real = memoryReceipts();
  const written: string[] = [];
  const receipts: typeof real = {
    ...real,
    settle(job, run, outcome, now) {
      written.push(`${job.message.id} ${outcome.kind === "ended" ? outcome.ending : outcome.kind}`);
      return real.settle(job, run, outcome, now);
    },
  };
  return { ...consumer({ ...overrides, receipts }), receipts, written };
}

const failuresOnly = (id: string, fields: Partial<Message> = {}) =>
  aMessageOf(id, { keeps: "failures", ...fields });

describe("a message whose receipt keeps failures only", () => {
  test("is delivered without a write after its claim, and is not kept in its lane", async () => {
    const { run, connect, got, written, state, clock, telemetry } = noting();
    const ann = await connect("ann", "orders");
    expect(await run([received(failuresOnly("one"))])).toEqual([]);
    expect(got(ann)).toEqual(["one"]);
    expect(written).toEqual([]);
    expect(telemetry.total("Endings")).toBe(1);
    expect(await state("one")).toBe("delivering");
    clock.advance(65_001);
    expect(await state("one")).toBe("unrecorded");
  });

  test("leaves a message beside it that keeps all as it was", async () => {
    const { run, connect, written, state } = noting();
    await connect("ann", "orders");
    await run([received(failuresOnly("one")), received(aMessageOf("two"))]);
    expect(written).toEqual(["two delivered"]);
    expect(await state("two")).toBe("delivered");
  });

  test.each<{ why: string; result?: SendResult; fields?: Partial<Message>; ending: string }>([
    { why: "a connection refuses it", result: REFUSED, ending: "partial" },
    { why: "a connection is busy", result: BUSY, ending: "retrying" },
    {
      why: "it reaches nobody",
      fields: { target: { topic: "nobody" } as Message["target"] },
      ending: "no-recipients",
    },
    { why: "it has expired", fields: { expiresAt: NOW }, ending: "expired" },
  ])("has a receipt that is kept if $why", async ({ result, fields, ending }) => {
    const { run, connect, sockets, state, clock } = noting();
    await connect("ann", "orders");
    if (result) sockets.send = async () => result;
    await run([received(failuresOnly("one", fields))]);
    clock.advance(86_400_000);
    expect(await state("one")).toBe(ending);
  });

  test.each([
    { why: "by its full visibility timeout", after: 370_000 },
    { why: "sooner", after: 70_000 },
  ])("ends in full once it is received again $why, so that it is delivered twice at most", async ({
    after,
  }) => {
    const { run, connect, written, got, clock } = noting();
    const ann = await connect("ann", "orders");
    const one = received(failuresOnly("one"));
    // The run before had an invocation whose response was lost: SQS returns the message.
    await run([one]);
    clock.advance(after);
    await run([{ ...one, receive: 2 }]);
    expect(written).toEqual(["one delivered"]);
    clock.advance(370_000);
    expect(await run([{ ...one, receive: 3 }])).toEqual([]);
    expect(got(ann)).toEqual(["one", "one"]);
  });

  test("is cancelled as any other while it waits, and the receipt says so", async () => {
    const { run, connect, receipts, got, state, clock } = noting();
    const ann = await connect("ann", "orders");
    await receipts.cancel(ANN, failuresOnly("one").message.id, NOW + 1);
    clock.advance(2);
    await run([received(failuresOnly("one"))]);
    expect(got(ann)).toEqual([]);
    clock.advance(86_400_000);
    expect(await state("one")).toBe("cancelled");
  });

  test("is settled in full before a suspect that may kill the run", async () => {
    const { run, restart, connect, sockets, receipts, written, got, clock } = noting();
    const ann = await connect("ann", "orders");
    const suspect = received(aMessageOf("suspect"));
    // Its first run dies while it sends.
    const { send } = sockets;
    const dying = new Promise<void>((resolve) => {
      sockets.send = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    void run([suspect]);
    await dying;
    restart();
    // As a table does, the receipts take some time.
    const { settle } = receipts;
    receipts.settle = async (...asked) => {
      await new Promise(setImmediate);
      return settle(...asked);
    };
    let seen: readonly string[] = [];
    sockets.send = (id, frame) => {
      if (Buffer.from(frame).toString().includes('"suspect"')) seen = [...written];
      return send(id, frame);
    };
    clock.advance(360_000);
    await run([received(failuresOnly("one")), { ...suspect, receive: 2 }]);
    expect(got(ann)).toEqual(["one", "suspect"]);
    expect(seen).toEqual(["one delivered"]);
  });

  test("has a receipt of all its jobs if it is too large for a run", async () => {
    const { run, connect, queue, written, state } = noting({ overrides: { recipientsPerRun: 3 } });
    for (const name of ["ann", "bea", "cid", "dan"]) await connect(name, "orders");
    await run([received(failuresOnly("one"))]);
    const jobs = queue.lanes["fanout-normal"].splice(0);
    expect(jobs.length).toBeGreaterThan(1);
    for (const { body } of jobs) await run([{ ...received(body), lane: "fanout-normal" }]);
    expect(
      written.filter((line) => line.endsWith("delivered") || line.endsWith("no-recipients")),
    ).toHaveLength(jobs.length);
    expect(await state("one")).toBe("delivered");
  });
});

const PRODUCER = { sub: ANN, tags: [], subscribe: [], publish: ["*"], admin: false, exp: 0 } as Identity;

describe("ingest", () => {
  /** What is queued of a POST. */
  async function queued(body: Record<string, unknown>, failureReceiptsOnly: boolean) {
    const queue = memoryQueue();
    const deps = {
      ...{
        queue,
        clock: { now: () => NOW },
        newId: () => "made",
        lifeSeconds: 60,
        telemetry: memoryTelemetry(),
      },
      ...{ backlog: { retryAfter: () => undefined, look: () => undefined }, failureReceiptsOnly },
    };
    await ingest(deps, PRODUCER, { target: { topic: "orders" }, data: 1, ...body });
    return JSON.parse(queue.lanes.normal[0]?.body ?? "{}").message;
  }

  test.each([
    { body: {}, setting: true, keeps: "failures" },
    { body: { id: "mine" }, setting: true, keeps: undefined },
    { body: {}, setting: false, keeps: undefined },
  ])("marks $body where the setting is $setting: $keeps", async ({ body, setting, keeps }) => {
    expect((await queued(body, setting)).keeps).toBe(keeps);
  });
});

describe("the receipt", () => {
  const asked = async (failureReceiptsOnly: boolean, met: boolean) => {
    const { run, connect, receipts, clock } = noting();
    await connect("ann", "orders");
    if (met) await run([received(failuresOnly("one"))]);
    clock.advance(100_000);
    const found = await readReceipt({ receipts, clock, failureReceiptsOnly }, PRODUCER, { id: "one" });
    return found.ok ? found.value : found.refusal;
  };

  test("of one that nothing is recorded of says that it was delivered, or is tried again", async () => {
    expect(await asked(true, true)).toMatchObject({
      code: "RECEIPT_NOT_KEPT",
      detail: expect.stringMatching(/was delivered, or its run died .* keep failures only$/),
    });
  });

  test("of an id that is not known says that it may have been delivered, if receipts keep failures only", async () => {
    const code = "RECEIPT_NOT_FOUND";
    expect(await asked(true, false)).toMatchObject({
      code,
      detail: expect.stringContaining("was delivered"),
    });
    expect(await asked(false, false)).toMatchObject({
      code,
      detail: expect.not.stringContaining("delivered"),
    });
  });
});

// What a consumer of the release before leaves out of a body.
test("a body that does not say it keeps all", async () => {
  const { run, connect, written } = noting();
  await connect("ann", "orders");
  const { message } = failuresOnly("one");
  const { keeps: _, ...before } = message;
  await run([received(JSON.stringify({ v: 1, message: before }))]);
  expect(written).toEqual(["one delivered"]);
});
