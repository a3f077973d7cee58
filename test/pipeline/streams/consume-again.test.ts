import { describe, expect, test } from "vitest";
import type { SendResult, Streams } from "../../../shared/ports.ts";
import type { Message, MessageId } from "../../../shared/protocol/message.ts";
import type { UserId } from "../../../shared/protocol/tag.ts";
import type { Job } from "../../../shared/receipts/job.ts";
import { readBody } from "../../../shared/receipts/job-body.ts";
import { ANN, aMessageOf, received } from "../../support/consumer.ts";
import { NOW } from "../../support/message.ts";
import {
  BUSY,
  type Connection,
  type Consumer,
  KEPT,
  NO_TABLE,
  noted,
  numberOf,
  rowsOf,
  sentTo,
} from "./noted.ts";
import { START } from "./support.ts";

describe("a run that takes over", () => {
  /** Receives a message in a run that dies after it has appended it: nothing is heard of it any more. */
  async function died(under: Consumer, id: string): Promise<void> {
    const { page } = under.subscriptions;
    const dead = new Promise<void>((resolve) => {
      under.subscriptions.page = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    void under.run([received(aMessageOf(id))]);
    await dead;
    under.subscriptions.page = page;
    under.restart();
    under.clock.advance(360_000);
  }

  test("finds what the run before it has appended, and appends nothing", async () => {
    const under = noted();
    const ann = await under.connect("ann", "orders");
    await died(under, "a");
    await under.run([received(aMessageOf("b"))]);
    await under.run([received(aMessageOf("a"), 5)]);
    expect(rowsOf(under)).toEqual([["a"], ["b"]]);
    expect(sentTo(under, ann)).toEqual([
      ["b", START + 1],
      ["a", START],
    ]);
  });

  test("takes the data out that the run before it has appended, if the message was cancelled meanwhile", async () => {
    const under = noted();
    await under.connect("ann", "orders");
    await died(under, "a");
    await under.receipts.cancel(ANN, "a" as MessageId, under.clock.now());
    expect(await under.run([received(aMessageOf("a"), 2)])).toEqual([]);
    expect(await under.state("a")).toBe("cancelled");
    expect(rowsOf(under)).toEqual([[""]]);
  });

  test("is not misled by a message of another producer with the same id", async () => {
    const under = noted();
    const { append } = under.streams;
    under.streams.append = NO_TABLE;
    await under.run([received(aMessageOf("a"))]);
    under.streams.append = append;
    const other = { acceptanceId: "other", producer: "bob" as Message["producer"], data: 2 };
    await under.run([received(aMessageOf("a", other))]);
    await under.run([received(aMessageOf("a"), 2)]);
    expect(rowsOf(under)).toEqual([["a"], ["a"]]);
    expect(numberOf(under, "a")).toEqual([START + 1]);
  });

  test("knows the number that was written with an outcome, and reads nothing for it", async () => {
    const under = noted();
    const ann = await under.connect("ann", "orders");
    const { send } = under.sockets;
    under.sockets.send = async () => BUSY;
    await under.run([received(aMessageOf("a"))]);
    expect(await under.state("a")).toBe("retrying");
    under.sockets.send = send;
    under.calls.length = 0;
    under.clock.advance(60_000);
    await under.run([received(aMessageOf("a"), 2)]);
    expect(under.calls.filter((call) => call === "read" || call === "append")).toEqual([]);
    expect(sentTo(under, ann).at(-1)).toEqual(["a", START]);
  });
});

describe("an append that fails", () => {
  test.each([
    { why: "before it was written", lands: false },
    { why: "after it was written", lands: true },
  ])("$why costs the message nothing but time", async ({ lands }) => {
    const under = noted();
    const ann = await under.connect("ann", "orders");
    const { append } = under.streams;
    under.streams.append = async (...asked: Parameters<Streams["append"]>) => {
      if (lands) await append(...asked);
      return NO_TABLE();
    };
    const batch = () => ["a", "b"].map((id, i) => received(aMessageOf(id), i + 1));
    expect(await under.run(batch())).toHaveLength(2);
    expect(under.got(ann)).toEqual([]);
    expect(under.receipts.rowsOf(ANN, "a" as MessageId)).toMatchObject([{ reason: "throttled", rounds: 0 }]);
    under.streams.append = append;
    expect(await under.run(batch())).toEqual([]);
    expect(rowsOf(under)).toEqual([["a", "b"]]);
    expect(sentTo(under, ann).toSorted()).toEqual([
      ["a", START],
      ["b", START + 1],
    ]);
  });

  test("after it was written leaves no data in the stream if the message is cancelled in the same run", async () => {
    const under = noted();
    const { append } = under.streams;
    under.streams.append = async (...asked: Parameters<Streams["append"]>) => {
      await append(...asked);
      await under.receipts.cancel(ANN, "a" as MessageId, NOW + 1);
      return NO_TABLE();
    };
    expect(await under.run([received(aMessageOf("a"))])).toEqual([]);
    expect(await under.state("a")).toBe("cancelled");
    expect(rowsOf(under)).toEqual([[""]]);
  });

  test("as the head cannot be read: nothing is claimed, but what has expired ends", async () => {
    const under = noted();
    under.streams.last = NO_TABLE;
    const [waits, late] = [received(aMessageOf("waits")), received(aMessageOf("late", { expiresAt: NOW }))];
    expect(await under.run([waits, late])).toEqual([waits.messageId]);
    expect(under.receipts.rowsOf(ANN, "waits" as MessageId)).toEqual([]);
    expect(await under.state("late")).toBe("expired");
  });
});

test("a run appends nothing once it has to write its outcomes, and the message comes back", async () => {
  const under = noted();
  const record = received(aMessageOf("a"));
  expect(await under.run([record], 10_000)).toEqual([record.messageId]);
  expect(rowsOf(under)).toEqual([]);
  expect(await under.state("a")).toBe("retrying");
});

describe("a message that ends undelivered", () => {
  test("gets no number if it had none", async () => {
    const under = noted();
    await under.run([received(aMessageOf("a", { expiresAt: NOW }))]);
    expect(await under.state("a")).toBe("expired");
    expect(under.calls).toEqual([]);
  });

  /** A message that has a number, and whose recipient is busy. */
  async function waiting(fields: Partial<Message> = {}) {
    const under = noted();
    const ann = await under.connect("ann", "orders");
    under.sockets.fail(ann, ...Array<SendResult>(100).fill(BUSY));
    await under.run([received(aMessageOf("a", fields)), received(aMessageOf("b"))]);
    expect(rowsOf(under)).toEqual([["a", "b"]]);
    return under;
  }

  test("stays as a number without data if it expires", async () => {
    const under = await waiting({ expiresAt: NOW + 90_000 });
    under.clock.advance(90_000);
    await under.run([received(aMessageOf("a", { expiresAt: NOW + 90_000 }), 2)]);
    expect(await under.state("a")).toBe("expired");
    expect(rowsOf(under)).toEqual([["", "b"]]);
  });

  test("stays as a number without data if it is cancelled", async () => {
    const under = await waiting();
    await under.receipts.cancel(ANN, "a" as MessageId, NOW + 1);
    expect(await under.run([received(aMessageOf("a"), 2)])).toEqual([]);
    expect(rowsOf(under)).toEqual([["", "b"]]);
  });

  test("is not forgotten while the table of streams is away", async () => {
    const under = await waiting();
    const { empty } = under.streams;
    under.streams.empty = NO_TABLE;
    await under.receipts.cancel(ANN, "a" as MessageId, NOW + 1);
    expect(await under.run([received(aMessageOf("a"), 2)])).toHaveLength(1);
    under.streams.empty = empty;
    expect(await under.run([received(aMessageOf("a"), 3)])).toEqual([]);
    expect(rowsOf(under)).toEqual([["", "b"]]);
  });
});

test("a message that is cancelled under way keeps no data, though its stream cannot be written then", async () => {
  const under = noted();
  const ann = await under.connect("ann", "orders");
  under.sockets.fail(ann, ...Array<SendResult>(100).fill(BUSY));
  const [{ empty }, { send }] = [under.streams, under.sockets];
  under.streams.empty = NO_TABLE;
  under.sockets.send = async (...asked) => {
    await under.receipts.cancel(ANN, "a" as MessageId, NOW + 1);
    return send(...asked);
  };
  expect(await under.run([received(aMessageOf("a"))])).toHaveLength(1);
  under.streams.empty = empty;
  under.clock.advance(120_000);
  expect(await under.run([received(aMessageOf("a"), 2)])).toEqual([]);
  expect(await under.state("a")).toBe("cancelled");
  expect(rowsOf(under)).toEqual([[""]]);
});

test("a message that a run delivers while it is cancelled keeps its data, though its queue hands it out twice", async () => {
  const under = noted();
  await under.connect("ann", "orders");
  const { send } = under.sockets;
  let again: string[] | undefined;
  under.sockets.send = async (...asked) => {
    await under.receipts.cancel(ANN, "a" as MessageId, NOW + 1);
    again = await under.run([received(aMessageOf("a"), 2)]);
    return send(...asked);
  };
  await under.run([received(aMessageOf("a"))]);
  expect(again).toEqual([]);
  expect([await under.state("a"), rowsOf(under)]).toEqual(["delivered", [["a"]]]);
});

test("a message that was delivered before its cancel keeps its data, however often it is received again", async () => {
  const under = noted();
  await under.connect("ann", "orders");
  await under.run([received(aMessageOf("a"))]);
  await under.receipts.cancel(ANN, "a" as MessageId, NOW + 1);
  expect(await under.state("a")).toBe("delivered");
  expect(await under.run([received(aMessageOf("a"), 2)])).toEqual([]);
  expect([await under.state("a"), rowsOf(under)]).toEqual(["delivered", [["a"]]]);
});

describe("a message that is split", () => {
  const MANY = { ...KEPT, recipientsPerRun: 2, advanced: { splitLimit: 4 } };

  async function split() {
    const under = noted(MANY);
    const connections: Connection[] = [];
    for (const name of ["a", "b", "c", "d", "e", "f"]) connections.push(await under.connect(name, "orders"));
    await under.run([received(aMessageOf("one"))]);
    const bodies = under.queue.lanes["fanout-normal"].map(({ body }) => body);
    return { under, connections, bodies };
  }

  test("leaves its number to its jobs, which append nothing", async () => {
    const { under, connections, bodies } = await split();
    const jobs = bodies
      .map((body) => readBody(body))
      .flatMap((body) => (body.kind === "job" ? [body.job] : []));
    expect(jobs.length).toBeGreaterThan(1);
    expect(new Set(jobs.map(({ seq }: Job) => seq))).toEqual(new Set([START]));
    under.calls.length = 0;
    await under.run(bodies.map((body) => received(body)));
    expect(under.calls.filter((call) => !call.startsWith("page"))).toEqual([]);
    for (const id of connections) expect(sentTo(under, id)).toEqual([["one", START]]);
  });

  test("keeps its number where its jobs have to be queued again", async () => {
    const under = noted(MANY);
    for (const name of ["a", "b", "c", "d", "e", "f"]) await under.connect(name, "orders");
    const { send } = under.queue;
    under.queue.send = async (_, entries) => entries.map(() => false);
    await under.run([received(aMessageOf("one"))]);
    under.queue.send = send;
    under.clock.advance(60_000);
    await under.run([received(aMessageOf("one"), 2)]);
    const seqs = under.queue.lanes["fanout-normal"].map(
      ({ body }) => (JSON.parse(body) as { seq?: number }).seq,
    );
    expect(new Set(seqs)).toEqual(new Set([START]));
    expect(rowsOf(under)).toEqual([["one"]]);
  });

  test("keeps its data if a redriven job finds that a later message has its id, and sends nothing", async () => {
    const { under, connections, bodies } = await split();
    for (const id of connections) under.sockets.fail(id, ...Array<SendResult>(100).fill(BUSY));
    for (let receive = 1; (await under.state("one")) !== "dead" && receive < 20; receive++) {
      under.clock.advance(20_000);
      await under.run(bodies.map((body) => received(body, receive)));
    }
    expect(await under.state("one")).toBe("dead");
    const time = new Date(NOW + 400_000).toISOString();
    const later = aMessageOf("one", { acceptanceId: "later", time, target: { user: "bob" as UserId } });
    await under.run([received(later)]);
    expect(await under.state("one")).toBe("no-recipients");
    const sends: Connection[] = [];
    under.sockets.send = async (id) => {
      sends.push(id);
      return { kind: "sent" };
    };
    expect(await under.run(bodies.map((body) => received(body)))).toEqual([]);
    expect(sends).toEqual([]);
    expect(rowsOf(under)).toEqual([["one"]]);
    expect(await under.state("one")).toBe("no-recipients");
  });

  test("keeps its data if its jobs are received once more", async () => {
    const { under, bodies } = await split();
    for (const receive of [1, 2]) await under.run(bodies.map((body) => received(body, receive)));
    expect(await under.state("one")).toBe("delivered");
    expect(rowsOf(under)).toEqual([["one"]]);
  });

  test("is emptied by a job that finds it cancelled", async () => {
    const { under, bodies } = await split();
    await under.receipts.cancel(ANN, "one" as MessageId, NOW + 1);
    await under.run(bodies.map((body) => received(body)));
    expect(rowsOf(under)).toEqual([[""]]);
  });
});
