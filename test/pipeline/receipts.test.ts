import { expect, test } from "vitest";
import { cancelMessage, readReceipt } from "../../shared/pipeline/receipts/receipts.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { lease } from "../contract/receipt-parts.ts";
import { aJob, NOW } from "../support/message.ts";

const reader = (sub: string, admin = false) => ({
  ...{ sub: sub as UserId, tags: [], subscribe: [], publish: [], admin },
  exp: NOW / 1000 + 60,
});
const ANN = reader("ann");

async function claimed() {
  const receipts = memoryReceipts();
  const clock = memoryClock(NOW + 1_000);
  await receipts.claim(aJob({ id: "one" as MessageId, producer: "ann" as UserId }), lease("run"), NOW);
  return { receipts, clock };
}

test("a producer reads the receipt of its own message, by default and by its name", async () => {
  const deps = await claimed();
  for (const asked of [{ id: "one" }, { id: "one", producer: "ann" }])
    expect(await readReceipt(deps, ANN, asked)).toMatchObject({
      ok: true,
      value: { id: "one", producer: "ann", state: "delivering" },
    });
});

test("only an admin reads or cancels the message of another producer", async () => {
  const deps = await claimed();
  const asked = { id: "one", producer: "ann" };
  for (const act of [readReceipt, cancelMessage]) {
    expect(await act(deps, reader("bob"), asked)).toMatchObject({
      ok: false,
      refusal: { code: "RECEIPT_FORBIDDEN", detail: "only an admin token may name another producer" },
    });
    expect(await act(deps, reader("eve", true), asked)).toMatchObject({
      ok: true,
      value: { producer: "ann" },
    });
  }
});

test("a receipt that is not there is refused with what that may mean", async () => {
  expect(await readReceipt(await claimed(), ANN, { id: "two" })).toMatchObject({
    ok: false,
    refusal: {
      code: "RECEIPT_NOT_FOUND",
      detail: "no run has met message two of ann: it waits in its queue, or was never sent",
    },
  });
});

test.each([
  { asked: { id: "a b" }, pointer: "/id" },
  { asked: { id: "one", producer: "a b" }, pointer: "/producer" },
])("$pointer is checked, and nothing is read or cancelled", async ({ asked, pointer }) => {
  const { clock } = await claimed();
  const never = () => Promise.reject(new Error("it was called"));
  const deps = { receipts: { find: never, cancel: never }, clock };
  for (const act of [readReceipt, cancelMessage])
    expect(await act(deps, reader("eve", true), asked)).toMatchObject({
      ok: false,
      refusal: { code: "MESSAGE_INVALID", detail: expect.stringContaining(pointer) },
    });
});

test("a cancel returns the receipt as it is then", async () => {
  const deps = await claimed();
  expect(await cancelMessage(deps, ANN, { id: "one" })).toMatchObject({ ok: true });
  expect(await deps.receipts.withdrawal(aJob({ id: "one" as MessageId, producer: "ann" as UserId }))).toBe(
    "cancelled",
  );
});

test("a cancel of a message that no run has met yet is kept for it", async () => {
  const deps = await claimed();
  expect(await cancelMessage(deps, ANN, { id: "two" })).toMatchObject({
    ok: true,
    value: { id: "two", state: "cancelled" },
  });
});

test("a cancel stops a message that was accepted in the very millisecond in which it is asked for", async () => {
  const deps = await claimed();
  const message = { id: "two" as MessageId, producer: "ann" as UserId };
  const accepted = aJob({ ...message, time: new Date(deps.clock.now()).toISOString() });
  await cancelMessage(deps, ANN, { id: "two" });
  expect(await deps.receipts.withdrawal(accepted)).toBe("cancelled");
  const after = aJob({ ...message, time: new Date(deps.clock.now()).toISOString() });
  expect(await deps.receipts.withdrawal(after)).toBeUndefined();
});
