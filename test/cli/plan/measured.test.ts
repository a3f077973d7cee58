import { afterAll, beforeAll, expect, test } from "vitest";
import { callsOf, sum } from "../../../bench/calls.ts";
import { visitOf } from "../../../cli/plan/connection.ts";
import { ASSUMPTIONS } from "../../../cli/plan/load.ts";
import { LOG } from "../../../cli/plan/size.ts";
import { workOf } from "../../../cli/plan/work.ts";
import { isMetricRecord } from "../../../local/metrics.ts";
import type { Router } from "../../../local/options.ts";
import { startTwin } from "../../../local/twin/start.ts";
import { connect } from "../../support/client.ts";
import { post } from "../../support/http.ts";
import { patient } from "../../support/patient.ts";

/*
 * The model against the real functions: what it predicts for a message is what they call. Small settings, so that
 * sixty connections are a large audience; the first page holds them all, so that the estimate is exact.
 */
const SOCKETS = 60;

let router: Router;
const printed: string[] = [];
beforeAll(async () => {
  router = await startTwin({
    settings: patient({
      recipientsPerRun: 30,
      // So that a few sends are no part of it, and no container says that it is busy.
      quotaRequestsPerSecond: 1_000_000,
      advanced: { splitLimit: 20, firstPageSize: 100 },
    }),
    write: (line) => printed.push(line),
  });
  for (let i = 0; i < SOCKETS; i++)
    await connect(router, `user-${i}`, [...(i < 20 ? ["size:20"] : []), "size:60"]);
});
afterAll(() => router.stop(0));

test.each([
  {
    shape: "one user each, one by one",
    target: (i: number) => ({ user: `user-${i}` }),
    audience: 1,
    messages: 4,
    perPost: 1,
  },
  {
    shape: "one user each, in tens",
    target: (i: number) => ({ user: `user-${i}` }),
    audience: 1,
    messages: 20,
    perPost: 10,
  },
  { shape: "nobody", target: (i: number) => ({ user: `nobody-${i}` }), audience: 0, messages: 2, perPost: 1 },
  {
    shape: "a topic of 20",
    target: () => ({ tags: { all: ["size:20"] } }),
    audience: 20,
    messages: 1,
    perPost: 1,
  },
  {
    shape: "a topic of 60 in jobs",
    target: () => ({ tags: { all: ["size:60"] } }),
    audience: SOCKETS,
    messages: 1,
    perPost: 1,
  },
])("the calls for $shape are those that the plan counts", async ({ target, audience, messages, perPost }) => {
  const before = router.spy.runs().length;
  const calls = await callsOf(async () => {
    for (let i = 0; i < messages; i += perPost) {
      const batch = Array.from({ length: perPost }, (_, j) => ({ target: target(i + j), data: "hi" }));
      await post(router, perPost === 1 ? batch[0] : batch);
    }
    await router.spy.idle({ timeout: 60_000 });
  });
  const runs = router.spy.runs().slice(before);
  const perRun = messages / runs.filter(({ lane }) => lane === "normal").length;
  const work = workOf({ audience }, { bytes: 500, perPost, perRun }, router.settings, ASSUMPTIONS);
  const counted = {
    frames: sum(calls, "PostToConnection"),
    requests: sum(calls, "/v1/messages"),
    sends: sum(calls, "SendMessageBatch"),
    deletes: sum(calls, "DeleteMessageBatch"),
    puts: sum(calls, "PutItem"),
    updates: sum(calls, "UpdateItem"),
    queries: sum(calls, "Query"),
    gets: sum(calls, "GetItem"),
    jobRuns: runs.filter(({ lane }) => lane === "fanout-normal").length,
  };
  const predicted = Object.fromEntries(
    Object.keys(counted).map((name) => {
      const each =
        name === "jobRuns" ? work.runs.fanout : work[name as Exclude<keyof typeof counted, "jobRuns">];
      return [name, expect.closeTo(each * messages, 6)];
    }),
  );
  expect(counted).toEqual(predicted);
});

test("a connection makes the calls that the plan counts, and so do its pings", async () => {
  const topics = ["orders", "chat"];
  const PINGS = 3;
  const calls = await callsOf(async () => {
    const client = await connect(router, "visitor", []);
    for (const frame of [{ type: "subscribe", topics }, ...Array(PINGS).fill({ type: "ping" })]) {
      client.send(frame);
      await client.next();
    }
    const [connectionId = ""] = router.spy.connections().slice(-1);
    await client.close();
    await router.spy.waitFor({ kind: "disconnected", connectionId });
    await router.spy.idle({ timeout: 60_000 });
  });
  const load = { topics: topics.length, sessionSeconds: 100, tokenSeconds: 0 };
  const { moves, pings, joins } = visitOf({ ...load, pingSeconds: 25, pingsAlways: true }, 0);
  expect(pings.runs).toBe(PINGS);
  expect({
    reads: sum(calls, "GetItem"),
    // Rows of lists are written in batches: one for the connect, and one for the frame.
    batches: sum(calls, "BatchWriteItem"),
    writes: sum(calls, "PutItem", "UpdateItem", "DeleteItem"),
  }).toEqual({
    reads: moves.readUnits + pings.readUnits,
    batches: 1 + 1,
    writes: moves.writeUnits - joins.subscriptions,
  });
});

test.each([
  "ingest",
  "consume",
  "socket",
] as const)("%s prints as many bytes of metrics a run as the plan counts", (service) => {
  const records = printed.filter((line) => line.includes(`"service":"${service}"`) && isMetricRecord(line));
  expect(bytesOf(records) / records.length / LOG[service]).toBeCloseTo(1, 1);
});

test("the log says as many bytes of a message as the plan counts", () => {
  const steps = printed.filter((line) => line.includes('"message":"message ') && !isMetricRecord(line));
  const messages = steps.filter((line) => line.includes('"message":"message accepted"')).length;
  expect(bytesOf(steps) / messages / LOG.step).toBeCloseTo(1, 1);
});

const bytesOf = (lines: readonly string[]): number =>
  lines.reduce((total, line) => total + Buffer.byteLength(line) + 1, 0);
