import { describe, expect, test } from "vitest";
import type { SendResult } from "../../shared/ports.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { lease as leaseOf } from "../contract/receipt-parts.ts";
import { ANN, aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

const BUSY: SendResult = { kind: "throttled", reason: "429" };

test.each([
  { what: "since it was sent", sentAt: NOW - 700, receive: 1, waited: 700 },
  { what: "since it was due", sentAt: NOW - 60_000, dueAt: NOW - 200, receive: 1, waited: 200 },
  { what: "not at all, by a clock that is behind", sentAt: NOW + 300, receive: 1, waited: 0 },
  { what: "what is known of its first receive alone", sentAt: NOW - 700, receive: 2, waited: undefined },
])("how long a message waited in its lane is counted: $what", async ({ sentAt, dueAt, receive, waited }) => {
  const { run, telemetry } = consumer();
  const one = received(aMessageOf("one", dueAt === undefined ? {} : { dueAt }), receive);
  await run([{ ...one, lane: "low", sentAt }]);
  const found = telemetry.measured.filter(({ metric }) => metric === "LaneWait");
  expect(found).toEqual(waited === undefined ? [] : [{ metric: "LaneWait", value: waited, lane: "low" }]);
});

describe("a batch", () => {
  test("delivers its messages and keeps none", async () => {
    const { run, connect, got, state } = consumer();
    const ann = await connect("ann", "orders");
    expect(await run([received(aMessageOf("one")), received(aMessageOf("two"))])).toEqual([]);
    expect(got(ann).toSorted()).toEqual(["one", "two"]);
    expect(await state("one")).toBe("delivered");
  });

  test("dead-letters a body that cannot be parsed, with its reason, and delivers its neighbours", async () => {
    const { run, connect, got, queue, telemetry } = consumer();
    const ann = await connect("ann", "orders");
    const records = [
      received(aMessageOf("one")),
      received("not json"),
      received("{}"),
      received(aMessageOf("two")),
    ];
    expect(await run(records)).toEqual([]);
    expect(got(ann).toSorted()).toEqual(["one", "two"]);
    expect(queue.deadLetters).toEqual([
      { lane: "normal", body: "not json", reason: "MESSAGE_INVALID: the text is not JSON" },
      { lane: "normal", body: "{}", reason: "MESSAGE_INVALID: /message is missing" },
    ]);
    expect(telemetry.total("DeadLetters")).toBe(2);
  });

  test("keeps a bad body that cannot be dead-lettered, and nothing else", async () => {
    const queue = {
      ...memoryQueue(),
      deadLetter: () => Promise.reject(new TagwireError("QUEUE_UNAVAILABLE", "no")),
    };
    const { run, connect, got } = consumer({ queue });
    const ann = await connect("ann", "orders");
    const bad = received("not json");
    expect(await run([bad, received(aMessageOf("one"))])).toEqual([bad.messageId]);
    expect(got(ann)).toEqual(["one"]);
  });

  test("keeps a message whose receipt cannot be reached for later, and delivers its neighbours", async () => {
    const real = memoryReceipts();
    const receipts: typeof real = {
      ...real,
      claim: (job, lease, now) =>
        job.message.id === "one"
          ? Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "no"))
          : real.claim(job, lease, now),
    };
    const { run, connect, got, queue, telemetry } = consumer({ receipts });
    const ann = await connect("ann", "orders");
    const bad = received(aMessageOf("one"), 3);
    expect(await run([bad, received(aMessageOf("two"))])).toEqual([bad.messageId]);
    expect(got(ann)).toEqual(["two"]);
    // Half of 2 · 2²: full jitter at 0.5.
    expect(queue.hidden).toEqual([{ receiptHandle: bad.receiptHandle, seconds: 4 }]);
    expect(telemetry.total("Faults")).toBe(1);
  });
});

describe("a message", () => {
  test("that is in a batch twice is delivered once, and neither record is kept", async () => {
    const { run, connect, got, queue } = consumer();
    const ann = await connect("ann", "orders");
    expect(await run([received(aMessageOf("one")), received(aMessageOf("one"))])).toEqual([]);
    expect(got(ann)).toEqual(["one"]);
    expect(queue.hidden).toEqual([]);
  });

  test("that is received twice is delivered once", async () => {
    const { run, connect, got } = consumer();
    const ann = await connect("ann", "orders");
    for (let receive = 1; receive <= 2; receive++) {
      expect(await run([received(aMessageOf("one"), receive)])).toEqual([]);
    }
    expect(got(ann)).toEqual(["one"]);
  });

  test("that was posted twice within its window is delivered once, and the second counts as a duplicate", async () => {
    const { run, connect, got, telemetry } = consumer();
    const ann = await connect("ann", "orders");
    const again = aMessageOf("one", { acceptanceId: "another" });
    expect(await run([received(aMessageOf("one"))])).toEqual([]);
    expect(await run([received(again)])).toEqual([]);
    expect(got(ann)).toEqual(["one"]);
    expect(telemetry.total("Duplicates")).toBe(1);
  });

  test("that a run holds is left to it, and asked for again when its lease is over", async () => {
    const { run, receipts, queue } = consumer();
    const lease = leaseOf("other", { until: NOW + 30_500 });
    await receipts.claim(aMessageOf("one"), lease, NOW);
    const record = received(aMessageOf("one"));
    expect(await run([record])).toEqual([record.messageId]);
    expect(queue.hidden).toEqual([{ receiptHandle: record.receiptHandle, seconds: 36 }]);
  });

  test("that has expired is delivered to nobody", async () => {
    const { run, connect, got, state, clock } = consumer();
    const ann = await connect("ann", "orders");
    clock.advance(60_000);
    expect(await run([received(aMessageOf("one", { expiresAt: NOW + 60_000 }))])).toEqual([]);
    expect(got(ann)).toEqual([]);
    expect(await state("one")).toBe("expired");
  });

  test("that was cancelled before any run met it is delivered to nobody", async () => {
    const { run, connect, got, state, receipts } = consumer();
    const ann = await connect("ann", "orders");
    await receipts.cancel(ANN, "one" as MessageId, NOW + 1);
    expect(await run([received(aMessageOf("one"))])).toEqual([]);
    expect(got(ann)).toEqual([]);
    expect(await state("one")).toBe("cancelled");
  });

  test("that is for nobody ends so", async () => {
    const { run, state } = consumer();
    expect(await run([received(aMessageOf("one"))])).toEqual([]);
    expect(await state("one")).toBe("no-recipients");
  });

  test("for which no time is left is kept whole, and delivered by the next run", async () => {
    const { run, connect, got, state } = consumer();
    const ann = await connect("ann", "orders");
    const record = received(aMessageOf("one"));
    expect(await run([record], 5_000)).toEqual([record.messageId]);
    expect(got(ann)).toEqual([]);
    expect(await state("one")).toBe("retrying");
    expect(await run([received(aMessageOf("one"), 2)])).toEqual([]);
    expect(got(ann)).toEqual(["one"]);
  });

  test("comes back for its busy connections only, after a pause that grows", async () => {
    const { run, connect, got, state, sockets, queue, clock } = consumer();
    const [ann, bob] = [await connect("ann", "orders"), await connect("bob", "orders")];
    // Three in the first run; after that a run sends to it once.
    sockets.fail(bob, ...Array<SendResult>(4).fill(BUSY));
    for (const receive of [1, 2]) {
      const record = received(aMessageOf("one"), receive);
      clock.advance(5_000);
      expect(await run([record])).toEqual([record.messageId]);
      expect(queue.hidden.at(-1)).toEqual({ receiptHandle: record.receiptHandle, seconds: receive });
    }
    expect(await state("one")).toBe("retrying");
    clock.advance(5_000);
    expect(await run([received(aMessageOf("one"), 3)])).toEqual([]);
    expect([got(ann), got(bob)]).toEqual([["one"], ["one"]]);
    expect(await state("one")).toBe("delivered");
  });

  test("whose connection stays busy for five rounds is dead, lies in the dead-letter queue with the reason, and names it", async () => {
    const { run, connect, sockets, queue, receipts } = consumer();
    await connect("ann", "orders");
    const bob = await connect("bob", "orders");
    sockets.fail(bob, ...Array<SendResult>(100).fill(BUSY));
    for (let receive = 1; receive < 5; receive++) {
      const record = received(aMessageOf("one"), receive);
      expect(await run([record])).toEqual([record.messageId]);
    }
    const last = received(aMessageOf("one"), 5);
    expect(await run([last])).toEqual([]);
    expect(queue.deadLetters).toEqual([{ lane: "normal", body: last.body, reason: "429" }]);
    expect(await receipts.find(ANN, "one" as MessageId, NOW)).toMatchObject({
      state: "dead",
      reason: "429",
      failed: [bob],
      counts: { sent: 1, pending: 1 },
    });
  });

  test("that was received hundreds of times, since nothing could be done for it, is delivered all the same", async () => {
    const { run, connect, got } = consumer();
    const ann = await connect("ann", "orders");
    expect(await run([received(aMessageOf("one"), 900)])).toEqual([]);
    expect(got(ann)).toEqual(["one"]);
  });

  test("that was dead and is redriven goes on where it stopped, with five rounds more", async () => {
    const { run, connect, got, sockets, state, clock } = consumer();
    const [ann, bob] = [await connect("ann", "orders"), await connect("bob", "orders")];
    sockets.fail(bob, ...Array<SendResult>(8).fill(BUSY));
    for (let receive = 1; receive <= 5; receive++) {
      await run([received(aMessageOf("one"), receive)]);
      clock.advance(5_000);
    }
    expect(await state("one")).toBe("dead");
    expect(await run([received(aMessageOf("one"))])).toHaveLength(1);
    expect(await state("one")).toBe("retrying");
    clock.advance(5_000);
    expect(await run([received(aMessageOf("one"), 2)])).toEqual([]);
    expect([got(ann), got(bob)]).toEqual([["one"], ["one"]]);
    expect(await state("one")).toBe("delivered");
  });

  test("for a connection that is gone forgets it, in every list, and serves the others", async () => {
    const { run, connect, got, sockets, connections, subscriptions, receipts } = consumer();
    const [ann, bob] = [await connect("ann", "orders", "news"), await connect("bob", "orders")];
    await sockets.close(ann);
    await run([received(aMessageOf("one"))]);
    expect(got(bob)).toEqual(["one"]);
    expect(await receipts.find(ANN, "one" as MessageId, NOW)).toMatchObject({ counts: { sent: 1, gone: 1 } });
    expect(await connections.find(ann, NOW)).toBeUndefined();
    expect(subscriptions.rows().map(({ connectionId }) => connectionId)).toEqual([bob, bob]);
  });

  test("for a connection whose $connect may still run leaves its rows, since then a 410 means nothing", async () => {
    const { run, connections, subscriptions, receipts } = consumer();
    const young = { connectionId: "young=" as ConnectionId, connectedAt: NOW - 1_000 };
    const tags = ["topic:orders"] as Tag[];
    await connections.put({
      ...young,
      user: ANN,
      tags,
      subscribe: [],
      expiresAt: NOW + 7_200_000,
      tokenExpiresAt: NOW + 7_200_000,
    });
    await subscriptions.add(tags, young, NOW + 7_200_000);
    await run([received(aMessageOf("one"))]);
    expect(await receipts.find(ANN, "one" as MessageId, NOW)).toMatchObject({ counts: { gone: 1 } });
    expect(await connections.find(young.connectionId, NOW)).toMatchObject(young);
    expect(subscriptions.rows()).toHaveLength(1);
  });

  test("whose outcome cannot be written is left until the run's own lease is over", async () => {
    const receipts = {
      ...memoryReceipts(),
      settle: () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled")),
    };
    const { run, queue } = consumer({ receipts });
    const record = received(aMessageOf("one"));
    expect(await run([record], 60_000)).toEqual([record.messageId]);
    expect(queue.hidden).toEqual([{ receiptHandle: record.receiptHandle, seconds: 70 }]);
  });

  test("whose run lost its lease to another is left to that one", async () => {
    const real = memoryReceipts();
    const receipts: typeof real = {
      ...real,
      async settle(job, run, outcome, now) {
        // While this run worked, its lease ran out.
        await real.claim(job, leaseOf("other", { until: NOW + 600_000, receive: 2 }), NOW + 400_000);
        return real.settle(job, run, outcome, now);
      },
    };
    const { run, connect, state, queue } = consumer({ receipts });
    await connect("ann", "orders");
    const record = received(aMessageOf("one"));
    expect(await run([record])).toEqual([record.messageId]);
    expect(queue.hidden).toEqual([]);
    expect(await state("one")).toBe("delivering");
  });
});

test("a pending connection whose token has ended gets nothing, and one whose token lasts gets it", async () => {
  const { connect, connections, clock, sockets, run, restart, got, receipts } = consumer();
  const [ann, bob] = [await connect("ann", "orders"), await connect("bob", "orders")];
  const end = NOW + 60_000;
  const row = await connections.read(ann, NOW);
  if (row) await connections.put({ ...row, tokenExpiresAt: end });
  const { send } = sockets;
  sockets.send = async () => ({ kind: "throttled", reason: "429" });
  expect(await run([received(aMessageOf("one"))])).toHaveLength(1);
  sockets.send = send;
  restart();
  clock.advance(end - clock.now());
  expect(await run([received(aMessageOf("one"), 2)])).toEqual([]);
  expect([got(ann), got(bob)]).toEqual([[], ["one"]]);
  const receipt = await receipts.find(ANN, "one" as MessageId, clock.now());
  expect(receipt).toMatchObject({ state: "delivered", counts: { sent: 1, gone: 1, pending: 0 } });
});
