import fc from "fast-check";
import { expect, test } from "vitest";
import { caughtUp, parsePlace, places } from "../../cli/place.ts";

const message = (seq: number, topic = "orders") => ({ type: "message", topic, seq });

test("a place is all that was seen without a hole, and a message is new once", () => {
  const at = places(new Map([["orders", 10]]), undefined);
  expect([11, 13, 11, 10, 13].map((seq) => at.isNew(message(seq)))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(at.asked(["orders"])).toEqual({ since: { orders: 11 } });
  expect(at.isNew(message(12))).toBe(true);
  expect(at.asked(["orders"])).toEqual({ since: { orders: 13 } });
});

test("messages that overtake the reply which says where their stream begins are new once too", () => {
  const at = places(new Map(), 5);
  expect(at.asked(["orders"])).toEqual({ last: 5 });
  expect([8, 9].map((seq) => at.isNew(message(seq)))).toEqual([true, true]);
  at.reached("orders", 8);
  expect([7, 8, 9].map((seq) => at.isNew(message(seq)))).toEqual([false, false, false]);
  expect(at.asked(["orders"])).toEqual({ since: { orders: 9 } });
  expect(at.asked(["orders", "bills"])).toEqual({ since: { orders: 9 }, last: 5 });
});

test("a message without a number is always new; one to the user is of the user's stream", () => {
  const at = places(new Map([["@user", 1]]), undefined);
  for (const one of [{ topic: "orders" }, { to: "everyone", seq: 1 }]) {
    expect([at.isNew(one), at.isNew(one)]).toEqual([true, true]);
  }
  expect([at.isNew({ to: "user", seq: 2 }), at.isNew({ to: "user", seq: 2 })]).toEqual([true, false]);
  expect(at.asked(["@user"])).toEqual({ since: { "@user": 2 } });
});

test("whatever order messages and replies come in, each is new once, and no place skips one", () => {
  const numbers = Array.from({ length: 12 }, (_, n) => n + 1);
  fc.assert(
    fc.property(fc.shuffledSubarray([...numbers, ...numbers]), fc.nat({ max: 11 }), (seqs, begin) => {
      const at = places(new Map([["orders", begin]]), undefined);
      const fresh = seqs.filter((seq) => at.isNew(message(seq)));
      const expected = [...new Set(seqs.filter((seq) => seq > begin))];
      expect(fresh).toEqual(expected);
      const { orders = -1 } = at.asked(["orders"]).since ?? {};
      expect(numbers.filter((seq) => seq > begin && seq <= orders).every((seq) => fresh.includes(seq))).toBe(
        true,
      );
      expect(fresh).not.toContain(orders + 1);
    }),
  );
});

test.each([
  { text: "orders=17", topic: "orders", position: 17 },
  { text: "@user=0", topic: "@user", position: 0 },
  { text: "a/b:c=9007199254740991", topic: "a/b:c", position: 9_007_199_254_740_991 },
])("$text is a place", ({ text, topic, position }) => {
  expect([...parsePlace(text, new Map([["x", 1]]))]).toEqual([
    ["x", 1],
    [topic, position],
  ]);
});

test.each([
  "orders",
  "=1",
  "orders=",
  "orders=-1",
  "orders=1.5",
  "orders=x",
  "a=b=1",
  "orders=9007199254740992",
])("%s is no place", (text) => {
  expect(() => parsePlace(text)).toThrow("It must be a topic and a position, as in orders=17.");
});

test.each([
  {
    reply: {
      type: "subscribed",
      positions: { a: 1, b: "x" },
      recovered: { a: false, b: true },
      more: { b: true },
    },
    says: { messages: [], missed: ["a"], positions: [["a", 1]], more: ["b"] },
  },
  {
    reply: { type: "history", topic: "a", messages: [{ seq: 1 }, 7], position: 1, more: true, gap: true },
    says: { messages: [{ seq: 1 }], missed: ["a"], positions: [["a", 1]], more: ["a"] },
  },
  { reply: { type: "subscribed" }, says: { messages: [], missed: [], positions: [], more: [] } },
  {
    reply: { type: "pong", positions: { a: 1 } },
    says: { messages: [], missed: [], positions: [], more: [] },
  },
  {
    reply: { type: "history", messages: {}, more: 1 },
    says: { messages: [], missed: [], positions: [], more: [] },
  },
])("of streams, $reply says $says", ({ reply, says }) => {
  expect(caughtUp(reply)).toEqual(says);
});
