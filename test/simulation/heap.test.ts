import fc from "fast-check";
import { expect, test } from "vitest";
import { heap } from "../../simulation/world/heap.ts";

interface Item {
  readonly at: number;
}

test("whatever is put in and taken out, the first is always the least that is in it", () => {
  const step = fc.option(
    fc.nat(20).map((at): Item => ({ at })),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const under = heap<Item>((a, b) => a.at < b.at);
      const model: Item[] = [];
      // An item goes in, and `undefined` takes the first out. At the end all are taken out.
      for (const item of [...steps, ...steps.map(() => undefined)]) {
        if (item) {
          under.push(item);
          model.push(item);
          model.sort((a, b) => a.at - b.at);
        }
        expect(under.first()?.at).toBe(model[0]?.at);
        if (!item) expect(under.pop()?.at).toBe(model.shift()?.at);
      }
    }),
  );
});

test("an empty heap has no first, and takes none out", () => {
  const under = heap<Item>((a, b) => a.at < b.at);
  expect([under.first(), under.pop()]).toEqual([undefined, undefined]);
});
