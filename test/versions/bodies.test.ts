import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Acceptance, messageFrom, type PublishRequest } from "../../shared/protocol/message.ts";
import type { Tag, Topic, UserId } from "../../shared/protocol/tag.ts";
import type { Traceparent } from "../../shared/protocol/traceparent.ts";
import { contains, sortKey } from "../../shared/receipts/hash-range.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { bodyOf, readBody } from "../../shared/receipts/job-body.ts";
import { RANGES } from "../contract/receipt-parts.ts";
import { ANN, aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

/*
 * Queue bodies of release 0.1.0 and of this one, each read by the other. What the code of 0.1.0 wrote and read was
 * recorded by running it: test/versions/v1.json.
 */
interface Recorded {
  /** What it wrote for a message, for a job of one, and for a numbered message. */
  readonly bodies: readonly string[];
  /** What it asks of a body. It ignores every other field. */
  readonly fields: Readonly<Record<"body" | "message", Readonly<Record<string, string>>>>;
  /** Bodies as this release writes them, and what it read of them. */
  readonly readings: readonly { readonly body: string; readonly read: { readonly job: Job } }[];
}
const V1: Recorded = JSON.parse(readFileSync(new URL("v1.json", import.meta.url), "utf8"));

/** What came after it. */
const LATER = ["keeps", "dueAt", "traceparent"];
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" as Traceparent;

describe("what release 0.1.0 wrote", () => {
  test.each(
    V1.bodies,
  )("is read as it was meant, without a trace or a time at which it is due: %s", (body) => {
    const { v, ...job } = JSON.parse(body);
    expect(v).toBe(1);
    expect(readBody(body)).toEqual({ kind: "job", job });
    for (const name of LATER) expect(job.message).not.toHaveProperty(name);
  });

  test("is what this release writes of the same job", () => {
    for (const body of V1.bodies) expect(bodyOf(JSON.parse(body))).toBe(body);
  });

  test.each(V1.bodies)("is delivered once, and ends: %s", async (body) => {
    const under = consumer();
    const ann = await under.connect("ann", "orders");
    const holder = { connectionId: ann, connectedAt: NOW - 60_000 };
    await under.subscriptions.add(["user:ann", "region:gd"] as Tag[], holder, NOW + 7_200_000);
    const { message, range } = JSON.parse(body) as Job;
    expect(await under.run([received(body), received(body)])).toEqual([]);
    const inRange = range === undefined || contains(range, sortKey(ann));
    expect(under.got(ann)).toEqual(inRange ? [message.id] : []);
    for (const frame of under.sockets.frames(ann))
      expect(JSON.parse(frame)).not.toHaveProperty("traceparent");
  });
});

describe("what this release writes", () => {
  /** What the code of 0.1.0 takes of a body, field by field, in their order there. */
  const readBefore = (text: string) => {
    const { v: _, message, ...body } = JSON.parse(text);
    const known = (fields: object, names: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(fields).filter(([name]) => name in names));
    return { ...known(body, V1.fields.body), message: known(message, V1.fields.message) };
  };
  const hasAllOf = (fields: object, names: Readonly<Record<string, string>>) =>
    Object.entries(names).every(([name, need]) => need !== "must be there" || name in fields);

  test("was read by 0.1.0 in full but for what came later", () => {
    expect(V1.readings.length).toBeGreaterThan(20);
    for (const { body, read } of V1.readings) {
      expect(read).toMatchObject({ kind: "job" });
      expect(read.job).toEqual(readBefore(body));
      // What was recorded is what this release writes still.
      const ours = readBody(body);
      expect(ours.kind === "job" ? bodyOf(ours.job) : ours).toBe(body);
    }
    const known = V1.readings.flatMap(({ body }) => Object.keys(JSON.parse(body).message));
    for (const name of LATER) expect(known).toContain(name);
  });

  const POSTS: readonly PublishRequest[] = [
    { target: { topic: "orders" as Topic }, data: 1 },
    { target: { everyone: true }, data: null, delaySeconds: 900, ttlSeconds: 3_600, priority: "low" },
    { target: { user: "ann" as UserId }, event: "e", data: {}, dedupeSeconds: 0 },
  ];
  const accepted = (post: PublishRequest, more: Partial<Acceptance>): Job["message"] => {
    const acceptance = { producer: ANN, now: NOW, newId: () => "accepted", lifeSeconds: 342_000, ...more };
    const message = messageFrom(post, acceptance);
    if (!message.ok) throw new Error(message.refusal.detail);
    return message.value;
  };

  test.each([
    {},
    { traceparent: TRACE },
    { failureReceiptsOnly: true, traceparent: TRACE },
  ])("has all that 0.1.0 asks of it, under version 1, and nothing else that it knows: %o", (more) => {
    for (const message of POSTS.map((post) => accepted(post, more))) {
      for (const job of [{ message }, { message, range: RANGES[1] }, { message, seq: 7 }]) {
        const { v, ...body } = JSON.parse(bodyOf(job));
        expect(v).toBe(1);
        expect(hasAllOf({ v, ...body }, V1.fields.body)).toBe(true);
        expect(hasAllOf(body.message, V1.fields.message)).toBe(true);
        const unknown = Object.keys(body.message).filter((name) => !(name in V1.fields.message));
        expect(LATER).toEqual(expect.arrayContaining(unknown));
      }
    }
  });
});

describe("the trace and the time at which a message is due", () => {
  const job = aMessageOf("one", { dueAt: NOW + 60_000, traceparent: TRACE });
  const body = JSON.parse(bodyOf(job));

  test("are all that is new in a body, and a job of an old run goes on without them", async () => {
    const { dueAt, traceparent, ...before } = body.message;
    expect([dueAt, traceparent]).toEqual([NOW + 60_000, TRACE]);
    const { run, connect, got, sockets, state } = consumer();
    const ann = await connect("ann", "orders");
    // An old run has split it: one half has lost its trace, the other was queued by a new run.
    const [low, high] = RANGES;
    const old = received(JSON.stringify({ ...body, message: before, range: low }));
    const young = received(JSON.stringify({ ...body, range: high }));
    expect(await run([old, young])).toEqual([]);
    expect(got(ann)).toEqual(["one"]);
    expect(sockets.frames(ann)).toHaveLength(1);
    expect(await state("one")).not.toBe("dead");
  });

  test("are told with the frame and in how long it waited", async () => {
    const { run, connect, sockets, telemetry, clock } = consumer();
    const ann = await connect("ann", "orders");
    clock.advance(61_000);
    await run([{ ...received(job), sentAt: NOW }]);
    expect(JSON.parse(sockets.frames(ann)[0] ?? "{}")).toMatchObject({ traceparent: TRACE });
    expect(telemetry.measured).toContainEqual({ metric: "LaneWait", value: 1_000, lane: "normal" });
  });

  test.each([
    { dueAt: "soon" },
    { dueAt: null },
    { traceparent: "no trace" },
    { traceparent: 7 },
  ])("make no body invalid: %o", (fields) => {
    const { dueAt: _, traceparent: __, ...message } = body.message;
    expect(readBody(JSON.stringify({ ...body, message: { ...message, ...fields } }))).toEqual({
      kind: "job",
      job: { message },
    });
  });
});
