import { describe, expect, test } from "vitest";
import type { Lease, SendResult } from "../../shared/ports.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { ANN, aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

const UNAVAILABLE: SendResult = { kind: "unavailable", reason: "503" };
const NO_TABLE = () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled"));

/** Receipts of which messages have had deaths, and the leases that they were asked with. */
function suspicious(deaths: Readonly<Record<string, number>>) {
  const real = memoryReceipts();
  const leases: Lease[] = [];
  const receipts: typeof real = {
    ...real,
    async claim(job, lease, now) {
      leases.push(lease);
      const count = deaths[job.message.id] ?? 0;
      if (count > 0 && !lease.suspects) return { kind: "suspect", deaths: count };
      const claim = await real.claim(job, lease, now);
      return claim.kind === "claimed" ? { ...claim, deaths: count } : claim;
    },
  };
  return { receipts, leases };
}

describe("while the gateway is down", () => {
  /** A consumer whose gateway went down while it served a message. */
  async function down() {
    const under = consumer();
    for (const name of ["a", "b", "c", "d", "e"]) {
      under.sockets.fail(await under.connect(name, "orders"), UNAVAILABLE);
    }
    under.sockets.say("down");
    await under.run([received(aMessageOf("first"))]);
    under.clock.advance(5_000);
    return under;
  }

  test("a message is not claimed and comes back, but one that has expired ends", async () => {
    const { run, clock, queue, telemetry, receipts, state } = await down();
    const waits = received(aMessageOf("waits", { expiresAt: clock.now() + 1 }), 3);
    const late = received(aMessageOf("late", { expiresAt: clock.now() }));
    expect(await run([waits, late])).toEqual([waits.messageId]);
    expect(receipts.rowsOf(ANN, "waits" as MessageId)).toEqual([]);
    expect(await state("late")).toBe("expired");
    expect(queue.hidden.at(-1)).toEqual({ receiptHandle: waits.receiptHandle, seconds: 4 });
    expect(telemetry.total("GatewayDown")).toBe(1);
  });

  test("what the queue knows to have ended with its process lengthens no back-off", async () => {
    const { run, queue } = await down();
    await run([{ ...received(aMessageOf("waits"), 9), retries: 2 }]);
    expect(queue.hidden.at(-1)).toMatchObject({ seconds: 4 });
  });

  test("the second copy of a message is not claimed if the first has just found that out", async () => {
    const { receipts, leases } = suspicious({});
    const { run, connect, sockets, queue } = consumer({ receipts });
    for (const name of ["a", "b", "c", "d", "e"]) sockets.fail(await connect(name, "orders"), UNAVAILABLE);
    sockets.say("down");
    const copies = [received(aMessageOf("one")), received(aMessageOf("one"))];
    expect(await run(copies)).toEqual(copies.map(({ messageId }) => messageId));
    expect(leases).toHaveLength(1);
    expect(queue.hidden.map(({ seconds }) => seconds)).toEqual([1, 1]);
  });

  test("a probe that finds it up lets the run go on", async () => {
    const { run, sockets, state, telemetry } = await down();
    sockets.say("up");
    expect(await run([received(aMessageOf("next", { target: { everyone: true } }))])).toEqual([]);
    expect(await state("next")).toBe("delivered");
    expect(telemetry.total("GatewayDown")).toBe(0);
  });
});

test("a run at a gateway that is up does not count it as down", async () => {
  const { run, telemetry } = consumer();
  await run([received(aMessageOf("one"))]);
  expect(telemetry.total("GatewayDown")).toBe(0);
});

describe("what a newer deployment wrote", () => {
  test("to the queue is left to it for a minute", async () => {
    const { run, queue } = consumer();
    const record = received(JSON.stringify({ ...JSON.parse(bodyOf(aMessageOf("one"))), v: 99 }));
    expect(await run([record])).toEqual([record.messageId]);
    expect(queue.hidden).toEqual([{ receiptHandle: record.receiptHandle, seconds: 60 }]);
    expect(queue.deadLetters).toEqual([]);
  });

  test("to the table is left to it for a minute", async () => {
    const receipts = { ...memoryReceipts(), claim: async () => ({ kind: "newer", version: 99 }) as const };
    const { run, queue, connect, got } = consumer({ receipts });
    const ann = await connect("ann", "orders");
    const record = received(aMessageOf("one"));
    expect(await run([record])).toEqual([record.messageId]);
    expect(queue.hidden).toEqual([{ receiptHandle: record.receiptHandle, seconds: 60 }]);
    expect(got(ann)).toEqual([]);
  });
});

test("a message that has ended and is received again is no duplicate", async () => {
  const { run, telemetry } = consumer();
  await run([received(aMessageOf("one"))]);
  await run([received(aMessageOf("one"), 2)]);
  expect(telemetry.total("Duplicates")).toBe(0);
  expect(telemetry.total("Claims")).toBe(1);
});

test.each([
  { receive: 999, isFinal: false },
  { receive: 1_000, isFinal: true },
  { receive: 1_001, isFinal: true },
])("receive $receive is the last before SQS gives up: $isFinal", async ({ receive, isFinal }) => {
  const { receipts, leases } = suspicious({});
  await consumer({ receipts }).run([received(aMessageOf("one"), receive)]);
  expect(leases).toMatchObject([{ receive, onFinalReceive: isFinal, suspects: false, until: NOW + 65_000 }]);
});

test("the messages of a batch are served side by side: one that is slow delays no other", async () => {
  const { run, connect, sockets, got } = consumer();
  const ann = await connect("ann", "orders");
  const { send } = sockets;
  let release = () => {};
  const second = new Promise<void>((resolve) => {
    release = resolve;
  });
  sockets.send = async (id, frame) => {
    if (new TextDecoder().decode(frame).includes('"one"')) await second;
    else release();
    return send(id, frame);
  };
  expect(await run([received(aMessageOf("one")), received(aMessageOf("two"))])).toEqual([]);
  expect(got(ann)).toEqual(["two", "one"]);
});

describe("of messages whose runs died", () => {
  const DEATHS = { three: 3, one: 1, two: 2 };
  const batch = () => Object.keys(DEATHS).map((id) => received(aMessageOf(id)));

  test("a run takes the one with the fewest deaths, and the others come back soon", async () => {
    const { receipts } = suspicious(DEATHS);
    const { run, connect, got, queue } = consumer({ receipts });
    const ann = await connect("ann", "orders");
    const [three, one, two] = batch();
    if (!three || !one || !two) throw new Error("a record is missing");
    expect((await run([three, one, two])).toSorted()).toEqual([three.messageId, two.messageId].toSorted());
    expect(got(ann)).toEqual(["one"]);
    // Half of 30 s and one: the random number is 0.5.
    expect(queue.hidden.map(({ seconds }) => seconds)).toEqual([16, 16]);
  });

  test("a run that has no time left takes none", async () => {
    const { receipts, leases } = suspicious(DEATHS);
    const { run, queue } = consumer({ receipts });
    const records = batch();
    expect(await run(records, 10_000)).toHaveLength(3);
    expect(queue.hidden).toHaveLength(3);
    expect(leases.filter(({ suspects }) => suspects)).toEqual([]);
  });

  test("one with five deaths ends as dead, and its deaths are counted", async () => {
    const { receipts } = suspicious({ one: 5 });
    const { run, connect, got, queue, telemetry } = consumer({ receipts });
    const ann = await connect("ann", "orders");
    const record = received(aMessageOf("one"));
    expect(await run([record])).toEqual([]);
    expect(got(ann)).toEqual([]);
    expect(queue.deadLetters).toMatchObject([{ reason: "5 runs died while they processed it" }]);
    expect(telemetry.total("Deaths")).toBe(5);
  });
});

test("a claim that failed late returns its message before the full visibility timeout, so that it counts no death", async () => {
  const under = consumer({
    receipts: {
      ...memoryReceipts(),
      claim: () => {
        under.clock.advance(300_000);
        return NO_TABLE();
      },
    },
  });
  // The visibility timeout is 360 s. Two margins of 5 s lie before its end, and the clocks differ by one.
  await under.run([received(aMessageOf("one"), 20)]);
  expect(under.queue.hidden).toMatchObject([{ seconds: 45 }]);
});

test("a message is hidden for at most the 12 hours that SQS allows", async () => {
  const until = NOW + 100 * 3_600_000;
  const { run, queue } = consumer({
    receipts: { ...memoryReceipts(), claim: async () => ({ kind: "leased", until }) as const },
  });
  await run([received(aMessageOf("one"))]);
  expect(queue.hidden).toMatchObject([{ seconds: 43_200 }]);
});

test("a visibility that cannot be changed is a warning, and the record is kept", async () => {
  const changeVisibility = () => Promise.reject(new TagwireError("QUEUE_UNAVAILABLE", "throttled"));
  const { run, telemetry } = consumer({ queue: { ...memoryQueue(), changeVisibility } });
  const record = received(aMessageOf("one"));
  expect(await run([record], 10_000)).toEqual([record.messageId]);
  expect(telemetry.warnings.map(({ event }) => event)).toEqual(["visibility not changed"]);
});

test("an outcome that cannot be written is a fault that is counted", async () => {
  const { run, telemetry } = consumer({ receipts: { ...memoryReceipts(), settle: NO_TABLE } });
  await run([received(aMessageOf("one"))]);
  expect(telemetry.total("Faults")).toBe(1);
  expect(telemetry.warnings.map(({ event }) => event)).toEqual(["outcome not written"]);
});

test("a fault while a message is served costs it a retry, with the reason on its receipt", async () => {
  const receipts = { ...memoryReceipts(), withdrawal: NO_TABLE };
  const { run, telemetry } = consumer({ receipts });
  const job = { ...aMessageOf("one"), range: { from: "00000000", to: "80000000" } };
  const record = received(job);
  expect(await run([record])).toEqual([record.messageId]);
  expect(telemetry.total("Retries")).toBe(1);
  expect(receipts.rowsOf(ANN, "one" as MessageId)).toMatchObject([{ reason: "throttled", rounds: 0 }]);
});
