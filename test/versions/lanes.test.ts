import { describe, expect, test } from "vitest";
import { laneOf, parseDeadLetter } from "../../cli/dead-letters/parsed-dead-letter.ts";
import { headOf } from "../../local/engine/lanes/entry-row.ts";
import { lineIn } from "../../shared/moving/line.ts";
import { fanoutLane, laneNamed, PRIORITIES } from "../../shared/protocol/lane.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { bodyOf, readBody } from "../../shared/receipts/job-body.ts";
import { delivered, RANGES } from "../contract/receipt-parts.ts";
import { synth } from "../infra/support.ts";
import { aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

/*
 * The release before (0.1.0) had one fanout lane for the jobs of all priorities. What waits in it, and what names it, is
 * found by this release.
 */

/** The logical ids that release 0.1.0 gave to what holds messages, in a stack whose router has the id Router. */
const HELD = {
  "tagwire:lane high": "RouterLanesHigh",
  "tagwire:lane normal": "RouterLanesNormal",
  "tagwire:lane low": "RouterLanesLow",
  "tagwire:lane fanout-normal": "RouterLanesFanoutA619619D",
};

test("an update keeps each queue that holds messages: that of the one fanout lane becomes fanout-normal", () => {
  const queues = Object.entries(synth().template.findResources("AWS::SQS::Queue"));
  const ids = new Map(
    queues.map(([id, { Properties }]) => {
      const [{ Key, Value }] = Properties.Tags ?? [{ Key: "none", Value: "" }];
      return [`${Key} ${Value}`, id];
    }),
  );
  for (const [lane, id] of Object.entries(HELD)) expect(ids.get(lane)).toMatch(new RegExp(`^${id}`));
});

test("an update makes no second event source mapping for a queue that has one", () => {
  const { template, router, idOf } = synth();
  const mappings = Object.entries(template.findResources("AWS::Lambda::EventSourceMapping"));
  const [found] = mappings.filter(
    ([, { Properties }]) =>
      Properties.EventSourceArn["Fn::GetAtt"][0] === idOf(router.lanes["fanout-normal"]),
  );
  expect(found?.[0]).toMatch(/^RouterConsumerConsumeFunctionFanout39/);
});

describe.each(PRIORITIES)("a job of priority %s that waits in it", (priority) => {
  const { message } = aMessageOf("one", { priority, target: { topic: "orders" } } as Partial<Job["message"]>);
  const job: Job = { message, range: { from: "00000000", to: "g" } };

  test("is delivered from fanout-normal", async () => {
    const { run, connect, got } = consumer();
    const ann = await connect("ann", "orders");
    expect(await run([{ ...received(bodyOf(job)), lane: "fanout-normal" }])).toEqual([]);
    expect(got(ann)).toEqual(["one"]);
  });

  test("goes to the fanout lane of its own priority when it is redriven without a lane", () => {
    const letter = parseDeadLetter({ entryId: "1", receiptHandle: "h", body: bodyOf(job), sentAt: 0 });
    expect(laneOf(letter, job)).toBe(fanoutLane(priority));
  });
});

test("its name is that of fanout-normal: in dead letters, in the data of one machine and in exports", () => {
  expect(laneNamed("fanout")).toBe("fanout-normal");
  expect(headOf('["fanout","ann",1,5,0]\n{}')).toMatchObject({ lane: "fanout-normal", producer: "ann" });
  const line = { kind: "waiting", entry: "1", lane: "fanout", body: "{}", receives: 1, sentAt: 5 };
  expect(lineIn(JSON.stringify(line))).toEqual({ ...line, lane: "fanout-normal" });
  expect(() => lineIn(JSON.stringify({ ...line, lane: "fan" }))).toThrow(/lane/);
});

test("a body says nothing of its lane, so that a consumer of either release reads it", () => {
  const { message } = aMessageOf("one");
  expect(JSON.parse(bodyOf({ message, range: RANGES[0] ?? { from: "0", to: "g" } }))).toEqual({
    v: 1,
    message,
    range: RANGES[0],
  });
});

describe("what a receipt keeps, which came after version 1", () => {
  const { message } = aMessageOf("one", { keeps: "failures" });
  const body = JSON.parse(bodyOf({ message }));

  test("is all that is new in a body, and a consumer before it leaves it out and keeps the whole receipt", async () => {
    const { keeps, ...before } = body.message;
    expect(keeps).toBe("failures");
    expect({ ...body, message: before }).toEqual(JSON.parse(bodyOf(aMessageOf("one"))));
    const { run, connect, got, state } = consumer();
    const ann = await connect("ann", "orders");
    await run([received(JSON.stringify({ ...body, message: before }))]);
    expect(got(ann)).toEqual(["one"]);
    expect(await state("one")).toBe("delivered");
  });

  test("takes no ending from the message if an old run wrote it, or a new one takes over from an old one", async () => {
    const under = consumer();
    const ann = await under.connect("ann", "orders");
    const [old, taken] = [aMessageOf("old"), aMessageOf("taken")];
    const marked = ({ message: given }: Job) => received({ message: { ...given, keeps: "failures" } }, 2);
    const records = [marked(old), marked(taken)];
    const lease = { run: "old", until: NOW + 60_000, returnsAt: NOW + 360_000, receive: 1 };
    // The old run has the message without the mark, and its row has none either.
    for (const [i, job] of [old, taken].entries()) {
      const entryId = records[i]?.messageId ?? "";
      await under.receipts.claim(job, { ...lease, entryId, onFinalReceive: false, suspects: false }, NOW);
    }
    await under.receipts.settle(old, "old", delivered(1), NOW);
    under.clock.advance(70_000);
    expect(await under.run(records)).toEqual([]);
    expect(under.got(ann)).toEqual(["taken"]);
    expect([await under.state("old"), await under.state("taken")]).toEqual(["delivered", "delivered"]);
  });

  test("is refused if it is nothing that this release knows", () => {
    expect(readBody(JSON.stringify({ ...body, message: { ...body.message, keeps: "all" } }))).toMatchObject({
      kind: "invalid",
    });
  });
});
