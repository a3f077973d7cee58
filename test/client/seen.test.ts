import { expect, test } from "vitest";
import { seen } from "../../client/seen.ts";

const MESSAGE = { id: "o-1", time: "2026-01-31T12:00:00.000Z" };

test.each([
  { what: "the same one again", first: MESSAGE, second: MESSAGE, is: true },
  { what: "one of a stream again", first: { ...MESSAGE, seq: 7 }, second: { ...MESSAGE, seq: 7 }, is: true },
  {
    what: "one with the number that it lacked before",
    first: MESSAGE,
    second: { ...MESSAGE, seq: 7 },
    is: true,
  },
  {
    what: "another producer's at the same time",
    first: { ...MESSAGE, seq: 7 },
    second: { ...MESSAGE, seq: 8 },
    is: false,
  },
  {
    what: "another producer's at the same time, to another topic",
    first: { ...MESSAGE, topic: "orders/1" },
    second: { ...MESSAGE, topic: "orders/2" },
    is: false,
  },
  {
    what: "another producer's at the same time, to the user",
    first: { ...MESSAGE, to: "everyone" },
    second: { ...MESSAGE, to: "user" },
    is: false,
  },
  {
    what: "a later one with its id",
    first: MESSAGE,
    second: { ...MESSAGE, time: "2026-01-31T12:00:00.001Z" },
    is: false,
  },
])("a message was there before: $what: $is", ({ first, second, is }) => {
  const isRepeated = seen();
  expect([isRepeated(first), isRepeated(second)]).toEqual([false, is]);
});
