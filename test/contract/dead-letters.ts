import { expect, test } from "vitest";
import type { DeadLetter, DeadLetters } from "../../shared/ports.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import type { UserId } from "../../shared/protocol/tag.ts";

/** An empty queue, and what a test does around it. */
export interface DeadLettersUnderTest {
  readonly deadLetters: DeadLetters;
  add(body: string, reason?: string, lane?: Lane): Promise<void>;
  /** The bodies in a lane, taken out of it. */
  drain(lane: Lane): Promise<readonly string[]>;
  /** Lets time pass where the next receive does not. */
  pass(seconds: number): void;
}

const PRODUCER = "ann & bob" as UserId;

/** What every DeadLetters owes its callers, whatever it is made of. */
export function deadLettersContract(open: () => Promise<DeadLettersUnderTest>): void {
  const all = async (deadLetters: DeadLetters, holdSeconds = 60): Promise<readonly DeadLetter[]> => {
    const received: DeadLetter[] = [];
    for (;;) {
      const some = await deadLetters.receive(10, holdSeconds);
      if (some.length === 0) return received;
      received.push(...some);
    }
  };
  const bodies = (deadLetters: readonly DeadLetter[]) => deadLetters.map(({ body }) => body).toSorted();

  test("returns a dead letter as it was stored, and hides it", async () => {
    const { deadLetters, add } = await open();
    const before = Date.now();
    await add("one", "503 too busy", "high");
    const received = await deadLetters.receive(10, 60);
    expect(received).toMatchObject([{ body: "one", reason: "503 too busy", lane: "high" }]);
    expect(Math.abs((received[0]?.sentAt ?? 0) - before)).toBeLessThan(60_000);
    expect(await deadLetters.receive(10, 60)).toEqual([]);
  });

  test("a letter without attributes has neither reason nor lane", async () => {
    const { deadLetters, add } = await open();
    await add("bare");
    const [deadLetter] = await deadLetters.receive(1, 60);
    expect(deadLetter).not.toHaveProperty("reason");
    expect(deadLetter).not.toHaveProperty("lane");
  });

  test("a letter that nobody releases comes back when its hold is over, under the same name", async () => {
    const { deadLetters, add, pass } = await open();
    await add("back");
    const [first] = await deadLetters.receive(1, 1);
    let again: readonly DeadLetter[] = [];
    for (let looks = 0; looks < 5 && again.length === 0; looks++) {
      pass(1);
      again = await deadLetters.receive(1, 60);
    }
    expect(again).toMatchObject([{ body: "back", entryId: first?.entryId }]);
  });

  test("released letters can be seen again at once, by the dozen and more than once", async () => {
    const { deadLetters, add } = await open();
    const names = Array.from({ length: 23 }, (_, i) => `letter ${i}`);
    await Promise.all(names.map((name) => add(name)));
    const held = await all(deadLetters);
    expect(bodies(held)).toEqual(names.toSorted());
    await deadLetters.release(held);
    await deadLetters.release(held);
    expect(bodies(await all(deadLetters))).toEqual(names.toSorted());
  });

  test("removed letters are gone for good; the others stay", async () => {
    const { deadLetters, add } = await open();
    for (const name of ["a", "b", "c"]) await add(name);
    const held = await all(deadLetters);
    const [gone, kept] = [held.slice(0, 2), held.slice(2)];
    expect(await deadLetters.remove(gone)).toEqual([true, true]);
    expect(await deadLetters.remove([])).toEqual([]);
    await deadLetters.release(held);
    expect(bodies(await all(deadLetters))).toEqual(bodies(kept));
  });

  test("a lane gets the bodies as they are, however many and however large", async () => {
    const { deadLetters, drain } = await open();
    const sent = Array.from({ length: 23 }, (_, i) => `${i}${"x".repeat(i % 2 ? 150_000 : 5)}`);
    const taken = await deadLetters.forward(
      "normal",
      sent.map((body) => ({ body, producer: PRODUCER })),
    );
    expect(taken).toEqual(sent.map(() => true));
    expect((await drain("normal")).toSorted()).toEqual(sent.toSorted());
    expect(await deadLetters.forward("high", [])).toEqual([]);
  });

  test("its size is what can be seen", async () => {
    const { deadLetters, add } = await open();
    for (const name of ["a", "b", "c"]) await add(name);
    await deadLetters.receive(1, 60);
    expect(await deadLetters.size()).toBe(2);
  });
}
