import fc from "fast-check";
import { expect, test } from "vitest";
import { errorFrame, parseFrame, refOf } from "../../shared/protocol/frame.ts";
import { messageFrame } from "../../shared/protocol/message-frame.ts";
import type { Target } from "../../shared/protocol/target.ts";
import { json } from "../support/arbitrary.ts";
import { aMessage } from "../support/message.ts";

test.each([
  '{"type":"subscribe","topics":["orders"]}',
  '{"type":"subscribe","topics":["a","a"],"ref":1}',
  '{"type":"subscribe","topics":["orders","@user"],"since":{"orders":17,"constructor":"x"},"last":1}',
  '{"type":"subscribe","topics":["orders"],"since":{}}',
  '{"type":"unsubscribe","topics":["orders"],"ref":"two"}',
  '{"type":"history","topic":"orders","since":17,"ref":1}',
  '{"type":"history","topic":"@user","since":null}',
  '{"type":"history","topic":"","last":1000}',
  '{"type":"ping","positions":{"orders":17,"@user":"nonsense"}}',
  '{"type":"ping"}',
  '{"type":"ping","ref":""}',
  '{"type":"ping","ref":-0.5}',
])("%s is a frame", (text) => {
  expect(parseFrame(text)).toEqual({ ok: true, value: JSON.parse(text) });
});

const topics = (count: number) => JSON.stringify(Array.from({ length: count }, (_, i) => `t${i}`));
const positions = (count: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, i])));

test.each([
  { text: "", at: undefined },
  { text: "hello", at: undefined },
  { text: "null", at: [""] },
  { text: "[]", at: ["/type"] },
  { text: '"ping"', at: [""] },
  { text: "{}", at: ["/type"] },
  { text: '{"type":"publish"}', at: ["/type"] },
  { text: '{"type":["ping"]}', at: ["/type"] },
  { text: '{"type":"ping","topics":["a"]}', at: ["/topics"] },
  { text: '{"type":"ping","__proto__":1,"constructor":1}', at: ["/__proto__", "/constructor"] },
  { text: '{"type":"ping","ref":null}', at: ["/ref"] },
  { text: '{"type":"ping","ref":{}}', at: ["/ref"] },
  { text: '{"type":"ping","ref":1e999}', at: ["/ref"] },
  { text: `{"type":"ping","ref":"${"x".repeat(129)}"}`, at: ["/ref"] },
  { text: '{"type":"subscribe"}', at: ["/topics"] },
  { text: '{"type":"subscribe","topics":"orders"}', at: ["/topics"] },
  { text: '{"type":"subscribe","topics":[]}', at: ["/topics"] },
  { text: `{"type":"subscribe","topics":${topics(51)}}`, at: ["/topics"] },
  { text: '{"type":"subscribe","topics":["a"],"since":17}', at: ["/since"] },
  { text: '{"type":"subscribe","topics":["a"],"since":["a"]}', at: ["/since"] },
  { text: '{"type":"subscribe","topics":["a"],"since":null}', at: ["/since"] },
  { text: '{"type":"subscribe","topics":["a"],"last":0}', at: ["/last"] },
  { text: '{"type":"unsubscribe","topics":["a"],"since":{},"last":1}', at: ["/since", "/last"] },
  { text: '{"type":"ping","positions":["a"]}', at: ["/positions"] },
  { text: `{"type":"ping","positions":${positions(201)}}`, at: ["/positions"] },
  { text: '{"type":"history"}', at: ["/topic", "/since"] },
  { text: '{"type":"history","topic":"a"}', at: ["/since"] },
  { text: '{"type":"history","topic":"a","since":1,"last":1}', at: ["/since"] },
  { text: '{"type":"history","topic":"a","last":1001}', at: ["/last"] },
  { text: '{"type":"subscribe","topics":["a","*",7]}', at: ["/topics/2"] },
  { text: '{"type":"subscribe","topics":[{}],"ref":true,"x":1}', at: ["/topics/0", "/ref", "/x"] },
])("$text is refused", ({ text, at }) => {
  const parsed = parseFrame(text);
  expect(parsed).toMatchObject({ ok: false, refusal: { code: "FRAME_INVALID" } });
  expect(parsed.ok ? [] : parsed.refusal.errors?.map(({ pointer }) => pointer)).toEqual(at);
});

test.each([
  { text: '{"type":"nonsense","ref":7}', ref: 7 },
  { text: '{"ref":"seven"}', ref: "seven" },
  { text: '{"ref":{}}', ref: undefined },
  { text: '{"ref":1e999}', ref: undefined },
  { text: `{"ref":"${"x".repeat(129)}"}`, ref: undefined },
  { text: "[7]", ref: undefined },
  { text: "null", ref: undefined },
  { text: "{", ref: undefined },
])("the ref of the bad frame $text is $ref", ({ text, ref }) => {
  expect(refOf(text)).toBe(ref);
});

test("reading a frame never throws", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    json.map((value) => JSON.stringify(value)),
    fc
      .record({
        type: fc.constantFrom("ping", "subscribe", "history"),
        topics: json,
        since: json,
        positions: json,
        ref: json,
      })
      .map((f) => JSON.stringify(f)),
    fc.constant("[".repeat(100_000)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parseFrame(text);
      if (!parsed.ok) expect(parsed.refusal.code).toBe("FRAME_INVALID");
      refOf(text);
    }),
  );
});

test("the frame of a message names what its client may see, and nothing of its producer or its queue", () => {
  const message = aMessage({ event: "order.shipped", expiresAt: 1, data: { total: 1 } });
  expect(messageFrame(message)).toEqual({
    type: "message",
    id: "m-1",
    topic: "orders",
    event: "order.shipped",
    data: { total: 1 },
    time: "2026-01-01T00:00:00.000Z",
  });
  expect(messageFrame(aMessage())).not.toHaveProperty("event");
});

test.each([
  { target: { topic: "orders" }, says: { topic: "orders" } },
  { target: { connection: "abc=" }, says: { to: "connection" } },
  { target: { user: "ann" }, says: { to: "user" } },
  { target: { tags: { all: ["plan:vip"], none: ["user:bob"] } }, says: { to: "tags" } },
  { target: { everyone: true }, says: { to: "everyone" } },
])("the frame of a message to $target says $says, and no more of who gets it", ({ target, says }) => {
  const {
    type: _,
    id: __,
    data: ___,
    time: ____,
    ...address
  } = messageFrame(aMessage({ target: target as Target }));
  expect(address).toEqual(says);
});

test.each([
  { refusal: {}, ref: undefined, more: {} },
  { refusal: { retryAfter: 0 }, ref: undefined, more: { retryAfter: 0 } },
  { refusal: { errors: [{ pointer: "/ref", detail: "bad" }] }, ref: 7, more: { ref: 7 } },
  { refusal: {}, ref: "", more: { ref: "" } },
])("the error frame of a refusal with $refusal to the ref $ref says no more than that", ({
  refusal,
  ref,
  more,
}) => {
  const code = "FRAME_INVALID";
  expect(Object.entries(errorFrame({ code, detail: "bad", ...refusal }, ref))).toEqual(
    Object.entries({ type: "error", code, detail: "bad", ...refusal, ...more }),
  );
});
