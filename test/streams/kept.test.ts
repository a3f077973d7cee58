import fc from "fast-check";
import { expect, test } from "vitest";
import type { ConnectionId, Tag, Topic, UserId } from "../../shared/protocol/tag.ts";
import { keepsStreams, type StreamSettings, streamOf } from "../../shared/streams/kept.ts";

const patterns = ["*", "orders*", "orders/*", "orders/eu/*", "orders/eu/42", "orders"];
/** The place of a pattern in the list above is its count, so that a retention says which pattern it is from. */
const kept = (...topics: string[]): StreamSettings => ({
  streams: topics.map((pattern) => ({ topics: pattern, seconds: 60, count: patterns.indexOf(pattern) + 1 })),
});
const off: StreamSettings = { streams: [] };
const patternFor = (settings: StreamSettings, topic: string): string | undefined => {
  const found = streamOf(settings, { topic: topic as Topic });
  return found && patterns[found.retention.count - 1];
};

test.each([
  { topic: "orders/eu/42", pattern: "orders/eu/42" },
  { topic: "orders/eu/43", pattern: "orders/eu/*" },
  { topic: "orders/us/1", pattern: "orders/*" },
  { topic: "orders", pattern: "orders" },
  { topic: "orders-old", pattern: "orders*" },
  { topic: "prices", pattern: "*" },
])("of all patterns, $pattern holds for the topic $topic, in whatever order they are listed", ({
  topic,
  pattern,
}) => {
  fc.assert(
    fc.property(fc.shuffledSubarray(patterns, { minLength: patterns.length }), (order) => {
      expect(patternFor(kept(...order), topic)).toBe(pattern);
    }),
  );
});

test.each([
  { topic: "order", pattern: "orders*" },
  { topic: "orders", pattern: "orders/*" },
  { topic: "Orders", pattern: "orders" },
  { topic: "my/orders", pattern: "orders*" },
])("$topic keeps no stream by $pattern", ({ topic, pattern }) => {
  expect(patternFor(kept(pattern), topic)).toBeUndefined();
});

test("the stream of a topic and of a user is the tag that its subscribers hold", () => {
  const settings = { ...kept("orders"), userStreams: { seconds: 5, count: 6 } };
  expect(streamOf(settings, { topic: "orders" as Topic })).toEqual({
    stream: "topic:orders",
    retention: { seconds: 60, count: 6 },
  });
  expect(streamOf(settings, { user: "1001" as UserId })).toEqual({
    stream: "user:1001",
    retention: { seconds: 5, count: 6 },
  });
});

test("users keep no stream unless they are set to, whatever topics do", () => {
  expect(streamOf(kept("*"), { user: "1001" as UserId })).toBeUndefined();
});

test.each([
  { target: { connection: "abc=" as ConnectionId } },
  { target: { everyone: true as const } },
  { target: { tags: { all: ["topic:orders" as Tag] } } },
])("a message to $target is in no stream", ({ target }) => {
  expect(streamOf({ ...kept("*"), userStreams: { seconds: 1, count: 1 } }, target)).toBeUndefined();
});

test("a router keeps streams if a topic or the users do", () => {
  expect(keepsStreams(off)).toBe(false);
  expect(keepsStreams(kept("orders"))).toBe(true);
  expect(keepsStreams({ ...off, userStreams: { seconds: 1, count: 1 } })).toBe(true);
});
