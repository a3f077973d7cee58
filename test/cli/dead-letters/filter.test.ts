import { describe, expect, test } from "vitest";
import {
  type Filter,
  matches,
  matchesReason,
  parseAge,
  parseReason,
} from "../../../cli/dead-letters/filter.ts";
import { parseDeadLetter, toLine } from "../../../cli/dead-letters/parsed-dead-letter.ts";

const NOW = Date.parse("2026-01-31T12:00:00Z");

/** A letter as it comes from the queue, sent there an hour ago. */
const deadLetter = (target: object, more: object = {}) =>
  parseDeadLetter({
    entryId: "entry-1",
    receiptHandle: "handle",
    sentAt: NOW - 3_600_000,
    body: JSON.stringify({
      message: {
        id: "o-1",
        producer: "shop",
        copy: "c",
        target,
        data: 1,
        priority: "low",
        time: "2026-01-31T11:00:00Z",
        dedupeSeconds: 300,
        ...more,
      },
    }),
  });

const ORDERS = deadLetter({ topic: "orders" });
const POISON = parseDeadLetter({ entryId: "entry-2", receiptHandle: "handle", sentAt: NOW, body: "no JSON" });

describe("a filter", () => {
  test.each<{ filter: Filter; of: string; means: boolean; what?: typeof ORDERS }>([
    { of: "no narrowing", filter: {}, means: true },
    { of: "its id", filter: { id: "o-1" }, means: true },
    { of: "its entry", filter: { id: "entry-1" }, means: true },
    { of: "another id", filter: { id: "o-2" }, means: false },
    { of: "its producer", filter: { producer: "shop" }, means: true },
    { of: "another producer", filter: { producer: "shop2" }, means: false },
    { of: "its topic", filter: { target: "topic:orders" }, means: true },
    { of: "a part of its topic", filter: { target: "topic:order" }, means: false },
    { of: "a user of that name", filter: { target: "user:orders" }, means: false },
    { of: "a lesser age", filter: { older: 3_600_000 }, means: true },
    { of: "a greater age", filter: { older: 3_600_001 }, means: false },
    { of: "an age it has not passed", filter: { newer: 3_600_000 }, means: true },
    { of: "an age it has passed", filter: { newer: 3_599_999 }, means: false },
    { of: "two things that hold", filter: { id: "o-1", older: 1 }, means: true },
    { of: "two things of which one holds", filter: { id: "o-1", older: 9e9 }, means: false },
    { of: "its user", filter: { target: "user:1" }, what: deadLetter({ user: "1" }), means: true },
    {
      of: "its connection",
      filter: { target: "connection:a=" },
      what: deadLetter({ connection: "a=" }),
      means: true,
    },
    { of: "everyone", filter: { target: "everyone" }, what: deadLetter({ everyone: true }), means: true },
    {
      of: "a tag of its expression",
      filter: { target: "plan:pro" },
      what: deadLetter({ tags: { all: ["region:gd"], any: ["plan:pro", "plan:team"] } }),
      means: true,
    },
    {
      of: "a tag that its expression excludes",
      filter: { target: "plan:pro" },
      what: deadLetter({ tags: { all: ["region:gd"], none: ["plan:pro"] } }),
      means: false,
    },
    { of: "the entry of a body that is none", filter: { id: "entry-2" }, what: POISON, means: true },
    { of: "a target of a body that is none", filter: { target: "everyone" }, what: POISON, means: false },
    { of: "a producer of a body that is none", filter: { producer: "shop" }, what: POISON, means: false },
  ])("by $of: $means", ({ filter, means, what = ORDERS }) => {
    expect(matches(filter, what, NOW)).toBe(means);
  });

  test.each([
    { text: "429", reason: "POST answered 429", means: true },
    { text: "too BUSY", reason: "Too busy", means: true },
    { text: "4.9", reason: "429", means: false },
    { text: "/4.9/", reason: "429", means: true },
    { text: "/^5/", reason: "429 5", means: false },
    { text: "429", reason: undefined, means: false },
  ])("by the reason $text, of $reason: $means", ({ text, reason, means }) => {
    expect(matchesReason({ reason: parseReason(text) }, reason)).toBe(means);
  });
});

test.each([
  { text: "90s", age: 90_000 },
  { text: "15m", age: 900_000 },
  { text: "2h", age: 7_200_000 },
  { text: "3d", age: 259_200_000 },
])("$text is an age", ({ text, age }) => {
  expect(parseAge(text)).toBe(age);
});

test.each(["", "5", "1w", "-1s", "1.5h", "1h30m"])("'%s' is no age", (text) => {
  expect(() => parseAge(text)).toThrow("as in 90s");
});

test("a reason that is no regular expression is refused", () => {
  expect(() => parseReason("/(/")).toThrow("regular expression");
});

test("nobody else's text can steer the terminal", () => {
  const line = toLine({ ...ORDERS, reason: "\u001b[2J\u0007\nfake" }, "\u001b[2J\u0007\nfake");
  expect(line).toContain("\\u001b[2J\\u0007\\u000afake");
});
