import { describe, expect, test } from "vitest";
import { DisconnectQuery } from "../../shared/protocol/disconnected.ts";
import { HistoryQuery } from "../../shared/protocol/history.ts";
import { parse } from "../../shared/protocol/parse.ts";

describe("the query of a history", () => {
  test.each([
    { query: { topic: "orders", since: "0" }, is: { topic: "orders", since: 0 } },
    {
      query: { topic: "orders", since: "9007199254740991" },
      is: { topic: "orders", since: 9007199254740991 },
    },
    { query: { user: "me", last: "1" }, is: { user: "me", last: 1 } },
    { query: { user: "me", last: "1000" }, is: { user: "me", last: 1_000 } },
    { query: { topic: "a", last: "007" }, is: { topic: "a", last: 7 } },
  ])("$query is taken", ({ query, is }) => {
    expect(parse(HistoryQuery, query, "REQUEST_INVALID")).toEqual({ ok: true, value: is });
  });

  const STREAM = "must be given, or user=me: exactly one of the two";
  const BEGIN = "must be given, or last: exactly one of the two";
  const POSITION = "must be a position: a whole number of 0-9007199254740991";
  const LAST = "must be a whole number of 1-1000";
  test.each([
    { query: { since: "1" }, errors: [["/topic", STREAM]] },
    { query: { topic: "a", user: "me", since: "1" }, errors: [["/topic", STREAM]] },
    { query: { topic: "a" }, errors: [["/since", BEGIN]] },
    { query: { topic: "a", since: "1", last: "1" }, errors: [["/since", BEGIN]] },
    {
      query: {},
      errors: [
        ["/topic", STREAM],
        ["/since", BEGIN],
      ],
    },
    ...["", "-1", "1.5", "1e3", " 1", "0x1", "9007199254740992", "10000000000000000"].map((since) => ({
      query: { topic: "a", since },
      errors: [["/since", POSITION]],
    })),
    ...["0", "1001", "-1", "", "ten", "1x"].map((last) => ({
      query: { topic: "a", last },
      errors: [["/last", LAST]],
    })),
    { query: { user: "ann", since: "1" }, errors: [["/user", expect.stringContaining('"me"')]] },
    { query: { topic: "a", since: "1", limit: "2" }, errors: [["/limit", expect.any(String)]] },
  ])("$query is refused, in words", ({ query, errors }) => {
    expect(parse(HistoryQuery, query, "REQUEST_INVALID")).toMatchObject({
      ok: false,
      refusal: {
        code: "REQUEST_INVALID",
        errors: errors.map(([pointer, detail]) => ({
          pointer,
          detail: typeof detail === "string" ? expect.stringContaining(detail) : detail,
        })),
      },
    });
  });
});

test.each([
  { query: {}, ok: true },
  { query: { before: "2026-01-01T00:00:00Z" }, ok: true },
  { query: { before: "yesterday" }, ok: false },
  { query: { before: "" }, ok: false },
  { query: { after: "2026-01-01T00:00:00Z" }, ok: false },
])("a disconnect may have a time before which it holds, and nothing else: $query is taken: $ok", ({
  query,
  ok,
}) => {
  expect(parse(DisconnectQuery, query, "REQUEST_INVALID").ok).toBe(ok);
});
