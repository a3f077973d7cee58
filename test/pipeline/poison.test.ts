import { describe, expect, test } from "vitest";
import type { Received } from "../../shared/pipeline/consume/record.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { ANN, aMessageOf, consumer, received } from "../support/consumer.ts";

const VISIBILITY = 360_000;

/**
 * A consumer whose run dies as soon as it sends a poisoned message: nothing that it does from then on reaches anybody,
 * and SQS shows its batch again after the visibility timeout.
 */
async function mortal() {
  const under = consumer();
  const ann = await under.connect("ann", "orders");
  const { send } = under.sockets;
  let die = () => {};
  under.sockets.send = (id, frame) => {
    if (!new TextDecoder().decode(frame).includes("poison")) return send(id, frame);
    die();
    return new Promise(() => {});
  };
  /** What SQS must keep, or `died`. */
  const receive = async (bodies: readonly string[], count: number): Promise<readonly Received[] | "died"> => {
    const death = new Promise<void>((resolve) => {
      die = resolve;
    });
    const records = bodies.map((id) => ({ ...received(aMessageOf(id), count), messageId: id }));
    const kept = await Promise.race([under.run(records), death.then(settled)]);
    if (kept === "died") under.restart();
    return kept === "died" ? kept : records.filter(({ messageId }) => kept.includes(messageId));
  };
  // Side by side with a run that dies its other records may still end.
  const settled = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    return "died" as const;
  };
  return { ...under, ann, receive };
}

describe("a message that kills its run", () => {
  test("is dead after five deaths, with that reason, and its neighbours are delivered", async () => {
    const { receive, clock, state, receipts, queue, ann, got } = await mortal();
    const left = new Set(["poison", "one", "two"]);
    let deaths = 0;
    for (let count = 1; left.size > 0; count++) {
      expect(count).toBeLessThan(20);
      const kept = await receive([...left], count);
      clock.advance(VISIBILITY);
      if (kept === "died") deaths++;
      for (const id of left) {
        const now = await state(id);
        if (now !== undefined && now !== "delivering" && now !== "retrying") left.delete(id);
      }
    }
    expect(deaths).toBe(5);
    expect(got(ann).toSorted()).toEqual(["one", "two"]);
    expect(await receipts.find(ANN, "poison" as MessageId, clock.now())).toMatchObject({
      state: "dead",
      reason: "5 runs died while they processed it",
    });
    expect(queue.deadLetters).toHaveLength(1);
  });

  test("is served last and alone from its first death on: no message beside it is sent twice", async () => {
    const { receive, clock, ann, got } = await mortal();
    expect(await receive(["poison"], 1)).toBe("died");
    clock.advance(VISIBILITY);
    expect(await receive(["poison", "one", "two"], 2)).toBe("died");
    expect(got(ann)).toEqual(["one", "two"]);
    clock.advance(VISIBILITY);
    expect(await receive(["one", "two"], 3)).toEqual([]);
    expect(got(ann)).toEqual(["one", "two"]);
  });

  test("does not hold up other suspects: they come back soon, and to a batch of their own", async () => {
    const { receive, clock, queue } = await mortal();
    for (const id of ["poison-a", "poison-b"]) expect(await receive([id], 1)).toBe("died");
    clock.advance(VISIBILITY);
    expect(await receive(["poison-a", "poison-b"], 2)).toBe("died");
    expect(queue.hidden).toHaveLength(1);
    expect(queue.hidden[0]?.seconds).toBeLessThanOrEqual(30);
  });
});
