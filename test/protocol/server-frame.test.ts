import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { QueuedItem, RefusedItem } from "../../shared/protocol/item.ts";
import { Problem } from "../../shared/protocol/problem.ts";
import { Receipt } from "../../shared/protocol/receipt.ts";
import { SERVER_FRAMES } from "../../shared/protocol/server-frame.ts";

const TIME = "2026-01-01T00:00:00.000Z";
const PROBLEM = {
  ...{ type: "https://tagwire.dev/errors#LANE_FULL", title: "The lane is full.", status: 429 },
  ...{ code: "LANE_FULL", detail: "try later" },
};
const RECEIPT = {
  ...{ id: "m1", producer: "ann", state: "delivering", attempts: 1, updatedAt: TIME },
  counts: { sent: 1, gone: 0, failed: 0, pending: 2 },
};

type Case = readonly [object, readonly object[], readonly object[]];

/** What a router sends, by name: the least that is whole, what may stand in it, and what makes it wrong. */
const SENT: Readonly<Record<string, readonly [v.GenericSchema, ...Case]>> = {
  "a message to a topic": [
    SERVER_FRAMES.message,
    { type: "message", id: "m1", topic: "orders", data: null, time: TIME },
    [{ event: "created" }, { data: { a: [1] } }],
    [{ type: "pong" }, { id: "" }, { topic: "" }, { event: 7 }, { time: "yesterday" }],
  ],
  "a message to anything else": [
    SERVER_FRAMES.message,
    { type: "message", id: "m1", to: "everyone", data: 1, time: TIME },
    [{ to: "tags" }, { to: "user" }, { to: "connection" }],
    [{ to: "nobody" }, { to: undefined }],
  ],
  subscribed: [
    SERVER_FRAMES.subscribed,
    { type: "subscribed", topics: ["orders"] },
    [{ topics: [] }, { ref: 1 }, { refused: [{ topic: "Ä", code: "TOPIC_INVALID", detail: "no" }] }],
    [{ type: "unsubscribed" }, { topics: [1] }, { ref: {} }, { refused: [{ topic: "a", detail: "no" }] }],
  ],
  unsubscribed: [
    SERVER_FRAMES.unsubscribed,
    { type: "unsubscribed", topics: [] },
    [{ ref: "r" }, { refused: [] }],
    [{ type: "subscribed" }, { topics: "orders" }, { refused: [{ topic: "a", code: 1, detail: "no" }] }],
  ],
  pong: [
    SERVER_FRAMES.pong,
    { type: "pong", connection: "c1=" },
    [{ ref: "r" }],
    [{ type: "ping" }, { connection: "" }, { ref: "x".repeat(129) }],
  ],
  error: [
    SERVER_FRAMES.error,
    { type: "error", code: "FRAME_INVALID", detail: "no" },
    [{ retryAfter: 3 }, { code: "OF_A_LATER_ROUTER" }, { errors: [{ pointer: "/a", detail: "no" }] }],
    [
      { type: "pong" },
      { code: 4 },
      { detail: undefined },
      { errors: [{ pointer: "/a" }] },
      { retryAfter: "3" },
    ],
  ],
  "a problem": [
    Problem,
    PROBLEM,
    [{ status: 400 }, { status: 599 }, { retryAfter: 2 }, { errors: [{ pointer: "", detail: "no" }] }],
    [{ status: 399 }, { status: 600 }, { status: 400.5 }, { title: 1 }, { type: null }, { errors: [{}] }],
  ],
  "a receipt": [
    Receipt,
    RECEIPT,
    [{ state: "dead" }, { state: "retrying" }, { time: TIME, jobs: 4, reason: "busy", failed: ["c1="] }],
    [
      ...[{ state: "lost" }, { attempts: -1 }, { jobs: 1.5 }, { counts: { sent: 1 } }, { updatedAt: "now" }],
      { failed: Array.from({ length: 101 }, () => "c=") },
    ],
  ],
  "a stored message": [QueuedItem, { id: "m1", state: "queued" }, [], [{ state: "refused" }, { id: "" }]],
  "a refused message": [
    RefusedItem,
    { state: "refused", problem: PROBLEM },
    [{ id: "anything that the producer gave" }],
    [{ state: "queued" }, { id: 7 }, { problem: {} }],
  ],
};

describe.each(Object.entries(SENT))("%s", (_, [schema, whole, may, wrong]) => {
  const holds = (frame: object) => v.safeParse(schema, frame).success;

  test("is whole as it is, and with all that it may have", () => {
    for (const fields of [{}, ...may])
      expect([fields, holds({ ...whole, ...fields })]).toEqual([fields, true]);
  });

  test("may have fields of a later router", () => {
    expect(holds({ ...whole, later: { a: 1 } })).toBe(true);
  });

  test("is refused if a field is missing or wrong", () => {
    for (const name of Object.keys(whole).filter((key) => key !== "data")) {
      const { [name]: _, ...rest } = whole as Record<string, unknown>;
      expect([name, holds(rest)]).toEqual([name, false]);
    }
    for (const fields of wrong) expect([fields, holds({ ...whole, ...fields })]).toEqual([fields, false]);
  });
});
