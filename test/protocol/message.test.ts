import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import type { Result } from "../../shared/protocol/errors.ts";
import { type Message, messageFrom, PublishRequest } from "../../shared/protocol/message.ts";
import { messageFrame } from "../../shared/protocol/message-frame.ts";
import { parse } from "../../shared/protocol/parse.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { traceparentFrom } from "../../shared/protocol/traceparent.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { bodyOf, readBody } from "../../shared/receipts/job-body.ts";
import { postsAt } from "../support/arbitrary.ts";
import { aJob, aMessage, NOW } from "../support/message.ts";

const ACCEPTANCE = { producer: "ann" as UserId, now: NOW, newId: () => "made", lifeSeconds: 342_000 };
const accepted = (fields: object, root?: string) =>
  messageFrom(v.parse(PublishRequest, { target: { topic: "orders" }, data: 1, ...fields }), ACCEPTANCE, root);
const unwrap = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value;
};

test("what a post leaves out has a default", () => {
  const expected = { id: "made" as Message["id"], acceptanceId: "made", expiresAt: NOW + 342_000_000 };
  expect(unwrap(accepted({}))).toEqual(aMessage(expected));
});

test.each([
  { fields: { ttlSeconds: 60 }, expiresAt: NOW + 60_000 },
  { fields: { expiresAt: "2026-01-01T00:01:00Z" }, expiresAt: NOW + 60_000 },
  { fields: { expiresAt: "2026-01-01T08:01:00+08:00" }, expiresAt: NOW + 60_000 },
  { fields: { expiresAt: "2025-12-31 19:01:00.000-0500" }, expiresAt: NOW + 60_000 },
  { fields: { ttlSeconds: 342_000 }, expiresAt: NOW + 342_000_000 },
  { fields: { ttlSeconds: 61, delaySeconds: 60 }, expiresAt: NOW + 61_000 },
])("$fields expires at $expiresAt", ({ fields, expiresAt }) => {
  expect(unwrap(accepted(fields))).toMatchObject({ expiresAt });
});

test("a message that is delayed says when it is due, and no other does", () => {
  expect(unwrap(accepted({ delaySeconds: 60 })).dueAt).toBe(NOW + 60_000);
  expect(unwrap(accepted({ delaySeconds: 0 }))).not.toHaveProperty("dueAt");
});

test("a trace goes with the message into its frame", () => {
  const traceparent = traceparentFrom("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const post = v.parse(PublishRequest, { target: { topic: "orders" }, data: 1 });
  const message = unwrap(messageFrom(post, { ...ACCEPTANCE, traceparent }));
  expect(message.traceparent).toBe(traceparent);
  expect(messageFrame(message)).toMatchObject({ traceparent });
  expect(messageFrame(unwrap(messageFrom(post, ACCEPTANCE)))).not.toHaveProperty("traceparent");
});

test("a receipt keeps failures only where that is set and the message brings no id", () => {
  const keeps = (fields: object, failureReceiptsOnly: boolean) => {
    const post = v.parse(PublishRequest, { target: { topic: "orders" }, data: 1, ...fields });
    return unwrap(messageFrom(post, { ...ACCEPTANCE, failureReceiptsOnly })).keeps;
  };
  expect(keeps({}, true)).toBe("failures");
  expect(keeps({ id: "m-1" }, true)).toBeUndefined();
  expect(keeps({}, false)).toBeUndefined();
});

test.each([
  { fields: { expiresAt: "2026-01-01T00:00:00Z" }, at: "/3/expiresAt", says: "later than the moment" },
  { fields: { expiresAt: "1970-01-01T00:00:00Z" }, at: "/3/expiresAt", says: "later than the moment" },
  { fields: { ttlSeconds: 60, delaySeconds: 60 }, at: "/3/ttlSeconds", says: "later than the moment" },
  { fields: { expiresAt: "2026-01-05T00:00:01Z" }, at: "/3/expiresAt", says: "at most 342000 seconds ahead" },
])("a message of $fields is refused", ({ fields, at, says }) => {
  expect(accepted(fields, "/3")).toMatchObject({
    refusal: {
      code: "MESSAGE_INVALID",
      errors: [{ pointer: at, detail: expect.stringContaining(says) }],
    },
  });
});

test.each([
  { fields: { id: "" }, at: ["/id"] },
  { fields: { id: "a b" }, at: ["/id"] },
  { fields: { id: "a#b" }, at: ["/id"] },
  { fields: { id: 1 }, at: ["/id"] },
  { fields: { id: "x".repeat(129) }, at: ["/id"] },
  { fields: { target: undefined }, at: ["/target"] },
  { fields: { event: "" }, at: ["/event"] },
  { fields: { event: "x".repeat(129) }, at: ["/event"] },
  { fields: { event: null }, at: ["/event"] },
  { fields: { priority: "urgent" }, at: ["/priority"] },
  { fields: { ttlSeconds: 0 }, at: ["/ttlSeconds"] },
  { fields: { ttlSeconds: 1.5 }, at: ["/ttlSeconds"] },
  { fields: { ttlSeconds: 1_206_001 }, at: ["/ttlSeconds"] },
  { fields: { ttlSeconds: "60" }, at: ["/ttlSeconds"] },
  { fields: { delaySeconds: -1 }, at: ["/delaySeconds"] },
  { fields: { delaySeconds: 901 }, at: ["/delaySeconds"] },
  { fields: { dedupeSeconds: 86_401 }, at: ["/dedupeSeconds"] },
  { fields: { expiresAt: 1_769_860_800 }, at: ["/expiresAt"] },
  { fields: { expiresAt: "" }, at: ["/expiresAt"] },
  { fields: { expiresAt: "tomorrow" }, at: ["/expiresAt"] },
  { fields: { expiresAt: "2026-01-31" }, at: ["/expiresAt"] },
  { fields: { expiresAt: "2026-01-31T12:00:00" }, at: ["/expiresAt"] },
  { fields: { expiresAt: "2026-02-30T12:00:00Z" }, at: ["/expiresAt"] },
  { fields: { expiresAt: "2026-01-31T12:00:00+05" }, at: ["/expiresAt"] },
  { fields: { expiresAt: "          2026-01-31T12:00:00Z" }, at: ["/expiresAt"] },
  { fields: { expiresAt: "2026-01-31T12:00:00Z", ttlSeconds: 60 }, at: ["/expiresAt"] },
  { fields: { expiresAt: "2026-01-31T12:00:00Z", ttlSeconds: 60, id: "" }, at: ["/id", "/expiresAt"] },
  { fields: { id: "", priority: 1, prio: 1, loud: 1 }, at: ["/id", "/priority", "/prio", "/loud"] },
])("a post of $fields is refused", ({ fields, at }) => {
  const post = JSON.parse(JSON.stringify({ target: { topic: "orders" }, data: 1, ...fields }));
  const refused = parse(PublishRequest, post, "MESSAGE_INVALID");
  expect(refused).toMatchObject({ refusal: { errors: at.map((pointer) => ({ pointer })) } });
});

test("data may be null, but not absent", () => {
  expect(parse(PublishRequest, { target: { topic: "a" }, data: null }, "MESSAGE_INVALID")).toMatchObject({
    ok: true,
  });
  expect(parse(PublishRequest, { target: { topic: "a" } }, "MESSAGE_INVALID")).toMatchObject({
    refusal: { errors: [{ pointer: "/data", detail: "is missing" }] },
  });
});

test("fields that exclude each other are refused without a word about the whole", () => {
  const post = { target: { topic: "a" }, data: 1, expiresAt: "2026-01-31T12:00:00Z", ttlSeconds: 60 };
  expect(parse(PublishRequest, post, "MESSAGE_INVALID")).toMatchObject({
    refusal: { errors: [{ pointer: "/expiresAt", detail: "must not stand beside ttlSeconds" }] },
  });
});

test("a message comes out of its queue as it went in, and its frame is the same to the byte", () => {
  fc.assert(
    fc.property(postsAt(NOW), fc.uuid(), (post, made) => {
      const message = unwrap(
        messageFrom(v.parse(PublishRequest, post), { ...ACCEPTANCE, newId: () => made }),
      );
      const job = read(bodyOf({ message }));
      expect(JSON.stringify(job)).toBe(JSON.stringify({ message }));
      expect(JSON.stringify(messageFrame(job.message))).toBe(JSON.stringify(messageFrame(message)));
    }),
  );
});

test("a job keeps its range and its number", () => {
  const job: Job = { ...aJob(), range: { from: "00000000", to: "80000000" }, seq: 7 };
  expect(readBody(bodyOf(job))).toEqual({ kind: "job", job });
});

function read(body: string): Job {
  const found = readBody(body);
  if (found.kind !== "job") throw new Error(`no job: ${JSON.stringify(found)}`);
  return found.job;
}

test.each([
  0,
  -1,
  1.5,
  "2",
  null,
  [2],
])("a body whose version is %j is of the version before there were versions", (v) => {
  const { acceptanceId, expiresAt: _, ...rest } = aMessage();
  const life = { expiresAt: NOW + 342_000_000 };
  expect(readBody(JSON.stringify({ v, message: { ...rest, copy: acceptanceId } }))).toEqual({
    kind: "job",
    job: aJob(life),
  });
});

test("a body that is none says its code and what is wrong with it", () => {
  expect(readBody("no JSON")).toEqual({ kind: "invalid", reason: "MESSAGE_INVALID: the text is not JSON" });
  expect(readBody("{}")).toEqual({ kind: "invalid", reason: "MESSAGE_INVALID: /message is missing" });
  expect(readBody('{"v":1}')).toEqual({ kind: "invalid", reason: "MESSAGE_INVALID: /message is missing" });
});

test("the event of a post is the message's, and a post without one makes a message without one", () => {
  expect(unwrap(accepted({ event: "order.shipped" })).event).toBe("order.shipped");
  expect(unwrap(accepted({}))).not.toHaveProperty("event");
});

test("a refused deadline is named by its field and says why, at the root too", () => {
  expect(accepted({ ttlSeconds: 342_001 })).toMatchObject({
    refusal: { detail: "/ttlSeconds must be at most 342000 seconds ahead" },
  });
  expect(accepted({ ttlSeconds: 342_001, delaySeconds: 900 }, "/3")).toMatchObject({
    refusal: { detail: "/3/ttlSeconds must be at most 342000 seconds ahead" },
  });
});

test("a body that a newer deployment wrote is left to a consumer of that deployment", () => {
  expect(readBody(JSON.stringify({ v: 2, message: "of another shape" }))).toEqual({
    kind: "newer",
    version: 2,
  });
});

const changed = (fields: object) => JSON.stringify({ v: 1, message: { ...aMessage(), ...fields } });

test.each([
  { why: "it is no JSON", body: "not json" },
  { why: "it is empty", body: "" },
  { why: "it is null", body: "null" },
  { why: "it is a plain post", body: '{"target":{"topic":"orders"},"data":1}' },
  { why: "it has no producer", body: changed({ producer: undefined }) },
  { why: "it has no data", body: changed({ data: undefined }) },
  { why: "its target is none", body: changed({ target: { planet: "earth" } }) },
  { why: "its time is none", body: changed({ time: "2026-02-30T00:00:00Z" }) },
  { why: "its acceptance id is longer than a key", body: changed({ acceptanceId: "x".repeat(1_024) }) },
  { why: "it has no deadline", body: changed({ expiresAt: undefined }) },
  { why: "its window has no end", body: changed({ dedupeSeconds: 1e300 }) },
  { why: "its data is too deep to write", body: changed({}).replace('"data":1', `"data":${deep(20_000)}`) },
  { why: "its range is none", body: JSON.stringify({ v: 1, ...aJob(), range: { from: "g", to: "0" } }) },
])("a queue body is refused when $why", ({ body }) => {
  expect(readBody(body)).toMatchObject({ kind: "invalid" });
});

function deep(levels: number): string {
  return `${"[".repeat(levels)}${"]".repeat(levels)}`;
}

test("reading a queue body never throws", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (body) => {
      expect(readBody(body).kind).not.toBe("job");
    }),
  );
});
