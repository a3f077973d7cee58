import { expect, test } from "vitest";
import type { SendResult } from "../../shared/ports.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { Receipt } from "../../shared/receipts/receipt.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { ANN, aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

const BUSY: SendResult = { kind: "throttled", reason: "429" };
const ONE = "one" as MessageId;

/** A consumer with connections of one topic, by name. */
async function served(names: readonly string[], options: Parameters<typeof consumer>[0] = {}) {
  const under = consumer(options);
  const ids = [];
  for (const name of names) ids.push(await under.connect(name, "orders"));
  return {
    ...under,
    ids,
    receipt: async () => (await under.receipts.find(ANN, ONE, under.clock.now())) as Receipt,
  };
}

test("a run that has only its reserve left sends nothing, and says so on the receipt", async () => {
  const { run, ids, got, receipt, telemetry } = await served(["ann"]);
  const record = received(aMessageOf("one"));
  expect(await run([record], 10_000)).toEqual([record.messageId]);
  expect(ids.flatMap(got)).toEqual([]);
  expect(await receipt()).toMatchObject({
    state: "retrying",
    reason: "the Lambda invocation ran out of time",
    counts: { sent: 0, pending: 0 },
  });
  expect(telemetry.total("Retries")).toBe(1);
});

test("a run that has a moment more than its reserve sends", async () => {
  const { run, ids, got } = await served(["ann"]);
  expect(await run([received(aMessageOf("one"))], 10_001)).toEqual([]);
  expect(ids.flatMap(got)).toEqual(["one"]);
});

test("a message whose deadline passes while it is sent ends as expired, with what was sent", async () => {
  const { run, ids, clock, sockets, receipt } = await served(["ann", "bob", "cem"], {
    overrides: { advanced: { sendsInFlight: 1, firstPageSize: 1, pageSize: 1 } },
  });
  const { send } = sockets;
  sockets.send = async (id, frame) => {
    const result = await send(id, frame);
    clock.advance(20_000);
    return result;
  };
  expect(await run([received(aMessageOf("one", { expiresAt: NOW + 20_000 }))])).toEqual([]);
  expect(await receipt()).toMatchObject({ state: "expired", counts: { sent: 1 } });
  expect((await receipt())?.reason).toBeUndefined();
  expect(ids).toHaveLength(3);
});

test("a deadline is the moment from which nothing is sent", async () => {
  const { run, ids, got, receipt } = await served(["ann"]);
  expect(await run([received(aMessageOf("one", { expiresAt: NOW + 1 }))])).toEqual([]);
  expect(ids.flatMap(got)).toEqual(["one"]);
  const late = await served(["ann"]);
  expect(await late.run([received(aMessageOf("one", { expiresAt: NOW }))])).toEqual([]);
  expect(late.ids.flatMap(late.got)).toEqual([]);
  expect([(await receipt())?.state, (await late.receipt())?.state]).toEqual(["delivered", "expired"]);
});

test("a connection that the gateway refuses is named, and the message ends with the reason", async () => {
  const { run, ids, sockets, receipt } = await served(["ann", "bob"]);
  const [, bob = ids[0]] = ids;
  if (bob) sockets.fail(bob, { kind: "refused", reason: "413: the frame is too large" });
  expect(await run([received(aMessageOf("one"))])).toEqual([]);
  expect(await receipt()).toMatchObject({
    counts: { sent: 1, failed: 1, pending: 0 },
    failed: [bob],
    reason: "413: the frame is too large",
  });
});

test("a message that was delivered has no reason, though a connection was busy at first", async () => {
  const { run, ids, sockets, receipt } = await served(["ann"]);
  if (ids[0]) sockets.fail(ids[0], BUSY);
  expect(await run([received(aMessageOf("one"))])).toEqual([]);
  expect(await receipt()).toMatchObject({ state: "delivered", counts: { sent: 1 } });
  expect((await receipt())?.reason).toBeUndefined();
});

test("a row that cannot be deleted after a 410 is a warning, and the message is delivered to the others", async () => {
  const { run, ids, sockets, connections, telemetry, receipt } = await served(["ann", "bob"]);
  connections.delete = () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled"));
  if (ids[0]) await sockets.close(ids[0]);
  expect(await run([received(aMessageOf("one"))])).toEqual([]);
  expect(await receipt()).toMatchObject({ state: "delivered", counts: { sent: 1, gone: 1 } });
  expect(telemetry.warnings).toMatchObject([
    { event: "connection not forgotten", fields: { messageId: "one", lane: "normal", connectionId: ids[0] } },
  ]);
});

test("a fault of the table on the way costs the message nothing: the next run goes on where it stopped", async () => {
  const { run, ids, got, subscriptions, receipt, clock, telemetry } = await served(["ann", "bob"]);
  const { page } = subscriptions;
  subscriptions.page = () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled"));
  const record = received(aMessageOf("one"));
  expect(await run([record])).toEqual([record.messageId]);
  expect(await receipt()).toMatchObject({ state: "retrying", reason: expect.stringContaining("throttled") });
  expect(telemetry.warnings).toMatchObject([
    { event: "delivery interrupted", fields: { messageId: "one", lane: "normal" } },
  ]);
  subscriptions.page = page;
  clock.advance(5_000);
  expect(await run([received(aMessageOf("one"), 2)])).toEqual([]);
  expect(ids.map(got)).toEqual([["one"], ["one"]]);
});

test("a run that meets more busy connections than it may keep leaves the rest, and is no round of theirs", async () => {
  const names = Array.from({ length: 9 }, (_, i) => `c${i}`);
  const { run, ids, got, sockets, receipt, clock, queue } = await served(names, {
    overrides: { deliveryRounds: 2, advanced: { pendingLimit: 3, pageSize: 3, firstPageSize: 3 } },
  });
  for (const id of ids) sockets.fail(id, ...Array<SendResult>(4).fill(BUSY));
  expect(await run([received(aMessageOf("one"))])).toHaveLength(1);
  expect(await receipt()).toMatchObject({
    state: "retrying",
    counts: { sent: 0, pending: 3 },
    reason: "429",
  });
  for (let receive = 2; (await receipt())?.state === "retrying" && receive < 20; receive++) {
    clock.advance(5_000);
    await run([received(aMessageOf("one"), receive)]);
  }
  expect(await receipt()).toMatchObject({ state: "delivered", counts: { sent: 9, pending: 0 } });
  expect(ids.map(got)).toEqual(ids.map(() => ["one"]));
  expect(queue.deadLetters).toEqual([]);
});

test("a run that stops at the limit without any progress is a round, so a topic of dead clients ends", async () => {
  const names = Array.from({ length: 6 }, (_, i) => `c${i}`);
  const { run, ids, sockets, receipt, clock, queue } = await served(names, {
    overrides: { deliveryRounds: 2, advanced: { pendingLimit: 3, pageSize: 3, firstPageSize: 3 } },
  });
  for (const id of ids) sockets.fail(id, ...Array<SendResult>(500).fill(BUSY));
  let receives = 0;
  while ((await receipt())?.state !== "dead" && receives < 50) {
    await run([received(aMessageOf("one"), ++receives)]);
    clock.advance(5_000);
  }
  expect(await receipt()).toMatchObject({ state: "dead", counts: { sent: 0, pending: 3 } });
  expect(queue.deadLetters).toHaveLength(1);
});

test("a job is read by its own range: a message that is whole asks the table for no cancel before its first page", async () => {
  const receipts = memoryReceipts();
  let asked = 0;
  const { withdrawal } = receipts;
  receipts.withdrawal = (job) => {
    asked++;
    return withdrawal(job);
  };
  const { run } = await served(["ann"], { receipts });
  expect(await run([received(aMessageOf("one"))])).toEqual([]);
  expect(asked).toBe(0);
  expect(await run([received({ ...aMessageOf("two"), range: { from: "00000000", to: "g" } })])).toEqual([]);
  expect(asked).toBe(1);
});

test("a clock that is set back in a run does not put off its end: it stops before it is killed", async () => {
  const { run, ids, clock, sockets, got, receipt } = await served(["ann", "bob"], {
    overrides: { advanced: { sendsInFlight: 1, firstPageSize: 1, pageSize: 1 } },
  });
  const [{ now }, { send }] = [clock, sockets];
  sockets.send = async (id, frame) => {
    clock.now = () => now() - 60_000;
    clock.advance(50_000);
    return send(id, frame);
  };
  expect(await run([received(aMessageOf("one"))], 60_000)).toHaveLength(1);
  expect(ids.flatMap(got)).toHaveLength(1);
  expect(await receipt()).toMatchObject({ reason: "the Lambda invocation ran out of time" });
});
