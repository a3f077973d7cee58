import { describe, expect, test } from "vitest";
import type { Tag, Topic } from "../../../shared/protocol/tag.ts";
import { memoryReceipts } from "../../../testing/memory/receipts.ts";
import { ANN, aMessageOf, consumer, received } from "../../support/consumer.ts";
import { NOW } from "../../support/message.ts";
import { type Connection, KEPT, NO_TABLE, noted, numberOf, rowsOf, sentTo } from "./noted.ts";
import { START } from "./support.ts";

const USERS = { userStreams: { seconds: 3_600, count: 100 } };
const RATES = { topic: "rates" as Topic };

describe("the messages of a run", () => {
  test("that are of one stream are one row, in their order, and their frames have its numbers", async () => {
    const under = noted();
    const ann = await under.connect("ann", "orders");
    expect(await under.run(["a", "b", "c"].map((id) => received(aMessageOf(id))))).toEqual([]);
    expect(rowsOf(under)).toEqual([["a", "b", "c"]]);
    expect(sentTo(under, ann).toSorted()).toEqual([
      ["a", START],
      ["b", START + 1],
      ["c", START + 2],
    ]);
    expect(["a", "b", "c"].flatMap((id) => numberOf(under, id))).toEqual([START, START + 1, START + 2]);
  });

  test("are appended before their list is read", async () => {
    const under = noted();
    await under.run([received(aMessageOf("a"))]);
    const { calls } = under;
    expect(calls.indexOf("append")).toBeLessThan(calls.indexOf("page topic:orders"));
    expect(calls).toContain("append");
  });

  test("that are of several streams are a row of each, and what keeps none has no number", async () => {
    const under = noted({ ...KEPT, ...USERS });
    const ann = await under.connect("ann", "orders", "rates");
    await under.subscriptions.add([`user:${ANN}` as Tag], { connectionId: ann, connectedAt: NOW }, NOW + 9e6);
    await under.run([
      received(aMessageOf("a")),
      received(aMessageOf("b", { target: { user: ANN } })),
      received(aMessageOf("c", { target: RATES })),
    ]);
    expect(rowsOf(under)).toEqual([["a"]]);
    expect(rowsOf(under, `user:${ANN}` as Tag)).toEqual([["b"]]);
    expect(Object.fromEntries(sentTo(under, ann))).toEqual({ a: START, b: START, c: undefined });
  });

  test("cost a quiet stream one write, and one read of its head", async () => {
    const under = noted();
    await under.run([received(aMessageOf("a"))]);
    under.clock.advance(60_000);
    under.calls.length = 0;
    await under.run([received(aMessageOf("b"))]);
    expect(under.calls.filter((call) => !call.startsWith("page"))).toEqual(["last", "append"]);
  });

  test("read and write no stream where none is kept", async () => {
    const under = noted({});
    const ann = await under.connect("ann", "orders");
    await under.run([received(aMessageOf("a"))]);
    expect(under.calls).toEqual(["page topic:orders"]);
    expect(sentTo(under, ann)).toEqual([["a", undefined]]);
  });

  test("of a topic beside the streams do not touch them", async () => {
    const under = noted();
    await under.run([received(aMessageOf("a", { target: RATES }))]);
    expect(under.calls).toEqual(["page topic:rates"]);
  });

  test("do not wait for one whose claim fails, is a duplicate, or belongs to another run", async () => {
    const receipts = memoryReceipts();
    const { claim } = receipts;
    receipts.claim = (job, lease, now) => (job.message.id === "fails" ? NO_TABLE() : claim(job, lease, now));
    const under = consumer({ overrides: KEPT, receipts });
    await under.run([received(aMessageOf("twice"))]);
    const batch = ["fails", "twice", "fine"].map((id) =>
      received(aMessageOf(id, id === "twice" ? { acceptanceId: "another" } : {})),
    );
    expect(await under.run(batch)).toEqual([batch[0]?.messageId]);
    expect(rowsOf(under)).toEqual([["twice"], ["fine"]]);
  });

  test("are appended once where the batch has a message twice", async () => {
    const under = noted();
    const ann = await under.connect("ann", "orders");
    await under.run([received(aMessageOf("a")), received(aMessageOf("a")), received(aMessageOf("b"))]);
    expect(rowsOf(under)).toEqual([["a", "b"]]);
    expect(under.got(ann).toSorted()).toEqual(["a", "b"]);
  });
});

test("a first page that was read before a message was appended does not serve it", async () => {
  const under = noted();
  const ann = await under.connect("ann", "orders");
  let late: Connection | undefined;
  const { append } = under.streams;
  // The expression has read the list by then; who subscribes now knows nothing of the message's number.
  under.streams.append = async (...asked) => {
    while (!under.calls.includes("page topic:orders")) await Promise.resolve();
    late ??= await under.connect("late", "orders");
    return append(...asked);
  };
  const batch = [aMessageOf("b", { target: { tags: { all: ["topic:orders" as Tag] } } }), aMessageOf("a")];
  await under.run(batch.map((job) => received(job)));
  expect(under.got(ann).toSorted()).toEqual(["a", "b"]);
  expect(late && under.got(late)).toEqual(["a"]);
});

test("a suspect is appended by itself, after its neighbours", async () => {
  const receipts = memoryReceipts();
  const { claim } = receipts;
  receipts.claim = async (job, lease, now) =>
    job.message.id === "suspect" && !lease.suspects ? { kind: "suspect", deaths: 1 } : claim(job, lease, now);
  const under = consumer({ overrides: KEPT, receipts });
  const ann = await under.connect("ann", "orders");
  await under.run([received(aMessageOf("suspect")), received(aMessageOf("b"))]);
  expect(rowsOf(under)).toEqual([["b"], ["suspect"]]);
  expect(sentTo(under, ann)).toEqual([
    ["b", START],
    ["suspect", START + 1],
  ]);
});
