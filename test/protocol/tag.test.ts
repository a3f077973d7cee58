import * as v from "valibot";
import { expect, test } from "vitest";
import {
  ConnectionId,
  EVERYONE,
  Tag,
  Topic,
  topicIn,
  topicTag,
  UserId,
  userTag,
} from "../../shared/protocol/tag.ts";

const long = (length: number) => "x".repeat(length);

test.each([
  { is: "a connection id", schema: ConnectionId, text: "Zx3kQcLPjoECJuQ=" },
  { is: "a user", schema: UserId, text: "auth0|507f1f77" },
  { is: "a user", schema: UserId, text: "ann/o'neil#1@example.org" },
  { is: "a user", schema: UserId, text: "Zoë" },
  { is: "a user", schema: UserId, text: "王芳" },
  { is: "a user", schema: UserId, text: long(128) },
  { is: "a topic", schema: Topic, text: "orders/eu:2026_a.b-c" },
  { is: "a topic", schema: Topic, text: long(128) },
  { is: "a tag", schema: Tag, text: "region:gd" },
  { is: "a tag", schema: Tag, text: "a:b:c" },
  { is: "a tag", schema: Tag, text: `${long(32)}:${long(128)}` },
])("$text is $is", ({ schema, text }) => {
  expect(v.is(schema, text)).toBe(true);
});

test.each([
  { is: "a connection id", schema: ConnectionId, text: "" },
  { is: "a connection id", schema: ConnectionId, text: "a#b" },
  { is: "a connection id", schema: ConnectionId, text: "../a" },
  { is: "a connection id", schema: ConnectionId, text: long(129) },
  { is: "a user", schema: UserId, text: "" },
  { is: "a user", schema: UserId, text: "ann lee" },
  { is: "a user", schema: UserId, text: "ann*" },
  { is: "a user", schema: UserId, text: "ann\n" },
  { is: "a user", schema: UserId, text: "ann\u0000" },
  { is: "a user", schema: UserId, text: "ann\u200b" },
  { is: "a user", schema: UserId, text: "\ud800" },
  { is: "a user", schema: UserId, text: long(129) },
  { is: "a topic", schema: Topic, text: "" },
  { is: "a topic", schema: Topic, text: "/orders" },
  { is: "a topic", schema: Topic, text: "orders/*" },
  { is: "a topic", schema: Topic, text: "a#b" },
  { is: "a topic", schema: Topic, text: long(129) },
  { is: "a tag", schema: Tag, text: EVERYONE },
  { is: "a tag", schema: Tag, text: "Region:gd" },
  { is: "a tag", schema: Tag, text: "region:" },
  { is: "a tag", schema: Tag, text: ":gd" },
  { is: "a tag", schema: Tag, text: "region:g d" },
  { is: "a tag", schema: Tag, text: `${long(33)}:b` },
  { is: "a tag", schema: Tag, text: `a:${long(129)}` },
])("%j is not $is", ({ schema, text }) => {
  expect(v.is(schema, text)).toBe(false);
});

test.each([
  { tag: "topic:orders/eu", topic: "orders/eu" },
  { tag: "topic:a:b", topic: "a:b" },
  { tag: "user:topic:", topic: undefined },
  { tag: "topics:orders", topic: undefined },
  { tag: "region:gd", topic: undefined },
  { tag: EVERYONE, topic: undefined },
])("the topic of the tag $tag is $topic", ({ tag, topic }) => {
  expect(topicIn(tag as Tag)).toBe(topic);
  if (topic) expect(topicTag(topic as Topic)).toBe(tag);
});

test("the tag of a user holds the whole user", () => {
  expect(userTag("auth0|507:1" as UserId)).toBe("user:auth0|507:1");
});
