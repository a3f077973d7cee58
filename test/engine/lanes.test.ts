import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryClock } from "../../testing/memory/clock.ts";
import { aStore, idsOf, jobsOf, queueOver, VISIBILITY_SECONDS } from "./support.ts";

/** What a test knows of an entry that was stored and not removed. */
interface Expected {
  readonly id: string;
  readonly producer: string;
  /** When it can be taken, in milliseconds since the start of the test. */
  visibleAt: number;
  receive: number;
}

const acts = fc.oneof(
  fc.record({
    act: fc.constant("send"),
    producer: fc.constantFrom("ann", "bob", "eve"),
    delay: fc.constantFrom(0, 0, 0, 7),
  }),
  fc.record({ act: fc.constant("take"), limit: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ act: fc.constant("remove"), which: fc.nat(9) }),
  fc.record({ act: fc.constant("hide"), which: fc.nat(9), seconds: fc.constantFrom(0, 5, 50) }),
  fc.record({ act: fc.constant("pass"), seconds: fc.constantFrom(1, 10, VISIBILITY_SECONDS + 1) }),
  fc.record({ act: fc.constant("restart") }),
);
type Act = {
  act: string;
  producer?: string;
  delay?: number;
  limit?: number;
  which?: number;
  seconds?: number;
};

test("whatever runs and processes do, an entry is with one run at a time, and none is lost or comes from nowhere", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { maxLength: 60 }), fc.boolean(), async (sequence, isInMemory) => {
      const store = await aStore();
      const clock = memoryClock();
      const start = clock.now();
      const options = isInMemory ? {} : { memoryBytes: 0 };
      let { queue } = queueOver(store, options, clock);
      const kept = new Map<string, Expected>();
      let held: { readonly id: string; readonly receiptHandle: string }[] = [];
      const now = () => clock.now() - start;

      const take = (limit: number) => {
        const taken = queue.take("normal", limit);
        for (const [index, id] of idsOf(taken).entries()) {
          const expected = kept.get(id);
          const receive = taken[index]?.receive ?? 0;
          if (!expected) throw new Error(`${id} was removed or never sent`);
          expect(now()).toBeGreaterThanOrEqual(expected.visibleAt);
          expect(receive).toBe(++expected.receive);
          expected.visibleAt = now() + VISIBILITY_SECONDS * 1000;
          held = [
            ...held.filter((one) => one.id !== id),
            { id, receiptHandle: taken[index]?.receiptHandle ?? "" },
          ];
        }
        return taken.length;
      };
      for (const [number, step] of (sequence as Act[]).entries()) {
        const { act, producer = "", delay = 0, limit = 1, which = 0, seconds = 0 } = step;
        const one = held[which];
        const expected = one && kept.get(one.id);
        if (act === "send") {
          const id = `m-${number}`;
          const [entry] = jobsOf(producer, id);
          if (entry) await queue.send("normal", [{ ...entry, delaySeconds: delay }]);
          kept.set(id, { id, producer, visibleAt: now() + delay * 1000, receive: 0 });
        }
        if (act === "take") take(limit);
        if (act === "remove" && one) {
          queue.remove("normal", one.receiptHandle);
          kept.delete(one.id);
          held.splice(which, 1);
        }
        if (act === "hide" && one && expected && expected.visibleAt > now()) {
          await queue.changeVisibility("normal", one.receiptHandle, seconds);
          expected.visibleAt = now() + seconds * 1000;
        }
        if (act === "pass") clock.advance(seconds * 1000);
        if (act === "restart") {
          queue.close();
          ({ queue } = queueOver(store, options, clock));
          held = [];
          for (const one of kept.values()) {
            if (one.receive > 0) one.visibleAt = now();
            one.receive = Math.max(1, one.receive);
          }
        }
        expect(await queue.backlog("normal")).toBe(kept.size);
      }
      clock.advance((VISIBILITY_SECONDS + 1) * 1000);
      expect(take(1_000)).toBe(kept.size);
    }),
    { numRuns: 200 },
  );
});

test("of the same entries each producer's are taken in its order, and none waits for more than one turn of each other", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("ann", "bob", "eve"), { maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      async (producers, limit) => {
        const { queue } = queueOver(await aStore());
        const ids = new Map<string, string>();
        for (const [number, producer] of producers.entries()) {
          ids.set(`m-${number}`, producer);
          await queue.send("normal", jobsOf(producer, `m-${number}`));
        }
        const taken: string[] = [];
        for (let some = queue.take("normal", limit); some.length > 0; some = queue.take("normal", limit)) {
          taken.push(...idsOf(some));
        }
        const whose = taken.map((id) => ids.get(id) ?? "");
        for (const producer of new Set(producers)) {
          const own = (all: readonly string[]) => all.filter((id) => ids.get(id) === producer);
          expect(own(taken)).toEqual(own([...ids.keys()]));
          const turns = whose.flatMap((one, at) => (one === producer ? [at] : []));
          const gaps = turns.map((at, index) => at - (turns[index - 1] ?? -1));
          expect(Math.max(0, ...gaps)).toBeLessThanOrEqual(new Set(producers).size);
        }
      },
    ),
  );
});
