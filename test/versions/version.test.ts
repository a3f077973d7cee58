import { readFileSync } from "node:fs";
import { type AttributeValue, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { startTables, type Tables } from "../../local/twin/emulators/table.ts";
import { rowFrom } from "../../shared/adapters/dynamodb/receipt-item.ts";
import { dynamoReceipts } from "../../shared/adapters/dynamodb/receipts.ts";
import type { Receipts } from "../../shared/ports.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { bodyOf, readBody } from "../../shared/receipts/job-body.ts";
import { ANN, delivered, lease, RANGES } from "../contract/receipt-parts.ts";
import { aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

type Item = Record<string, AttributeValue>;

/** Rows and bodies that the last release before versions wrote. */
const BEFORE: { readonly receipts: Item[]; readonly bodies: string[] } = JSON.parse(
  readFileSync(new URL("v0.json", import.meta.url), "utf8"),
);

const jobOf = (id: string, range?: Job["range"]): Job => {
  const { message } = aMessageOf(id, { acceptanceId: `copy-of-${id}` });
  return { message, ...(range ? { range } : {}) };
};

describe("queue bodies of version 0", () => {
  test("are read as they were meant", () => {
    const jobs = BEFORE.bodies.map(readBody).map((body) => (body.kind === "job" ? body.job : undefined));
    expect(jobs).toMatchObject([
      { message: { id: "body-whole", acceptanceId: "copy-of-body-whole", expiresAt: NOW + 342_000_000 } },
      {
        message: {
          id: "body-expiring",
          expiresAt: NOW + 3_600_000,
          target: { tags: { all: ["region:gd"] } },
        },
      },
      { message: { id: "body-job" }, range: RANGES[1] },
    ]);
  });

  test("are delivered", async () => {
    const { run, connect, got } = consumer();
    const ann = await connect("ann", "orders");
    expect(await run([received(BEFORE.bodies[0] ?? "")])).toEqual([]);
    expect(got(ann)).toEqual(["body-whole"]);
  });
});

describe("numbers in queue bodies, which came after version 1", () => {
  const job = { ...aMessageOf("one"), range: RANGES[1] };
  const body = JSON.parse(bodyOf({ ...job, seq: 42 }));

  test("are all that is new in a body, and a consumer before them leaves them out", () => {
    const { seq, ...before } = body;
    expect(seq).toBe(42);
    expect(before).toEqual(JSON.parse(bodyOf(job)));
    expect(before.v).toBe(1);
  });

  test("are read, and a body without one is read as well", () => {
    expect(readBody(JSON.stringify(body))).toEqual({ kind: "job", job: { ...job, seq: 42 } });
    expect(readBody(bodyOf(job))).toEqual({ kind: "job", job });
  });

  test.each([0, -1, 1.5, "42", 2 ** 53])("are refused if they are no number of a stream: %s", (seq) => {
    expect(readBody(JSON.stringify({ ...body, seq }))).toMatchObject({ kind: "invalid" });
  });
});

test("a body of a newer version is left to a newer consumer, for a minute at a time", async () => {
  const { run, queue } = consumer();
  const record = received('{"v":2,"anything":true}');
  expect(await run([record])).toEqual([record.messageId]);
  expect(queue.hidden).toEqual([{ receiptHandle: record.receiptHandle, seconds: 60 }]);
  expect(queue.deadLetters).toEqual([]);
});

describe("rows of version 0", () => {
  let tables: Tables;
  let client: DynamoDBClient;
  let receipts: Receipts;
  beforeAll(async () => {
    tables = await startTables();
    client = new DynamoDBClient({ endpoint: tables.endpoint, region: REGION, credentials: CREDENTIALS });
    receipts = dynamoReceipts({ client, table: tables.names.receipts, days: 15 });
    for (const Item of BEFORE.receipts) {
      await client.send(new PutItemCommand({ TableName: tables.names.receipts, Item }));
    }
  });
  afterAll(async () => {
    client.destroy();
    await tables.stop();
  });

  const COUNTS = { sent: 3, gone: 1, failed: 1 };
  test.each([
    { id: "delivered", receipt: { state: "delivered", counts: { sent: 2 } } },
    {
      id: "retrying",
      receipt: { state: "retrying", counts: { ...COUNTS, pending: 2 }, reason: "429: slow down" },
    },
    { id: "dead", receipt: { state: "dead", failed: ["refused=", "busy-1=", "busy-2="] } },
    { id: "queued", receipt: { state: "retrying", jobs: 2, counts: { sent: 7, pending: 2 } } },
    { id: "cancelled-unmet", receipt: { state: "cancelled" } },
    { id: "last", receipt: { state: "dead" } },
  ])("are folded to the receipt of $id", async ({ id, receipt }) => {
    expect(await receipts.find(ANN, id as MessageId, NOW + 70_000)).toMatchObject(receipt);
  });

  const later = (run: string) => lease(run, { receive: 9, until: NOW + 900_000, returnsAt: NOW + 900_000 });
  const left = {
    counts: COUNTS,
    pending: [
      { connectionId: "busy-1=", connectedAt: NOW - 60_000 },
      { connectionId: "busy-2=", connectedAt: NOW - 60_000 },
    ],
    failed: ["refused="],
    rounds: 0,
  };
  test.each([
    { id: "leased", claim: { kind: "claimed", deaths: 0 } },
    { id: "retrying", claim: { kind: "claimed", deaths: 0, progress: { ...left, from: "80000000#c " } } },
    { id: "dead", claim: { kind: "claimed", deaths: 0, progress: left } },
    { id: "delivered", claim: { kind: "over", why: "ended" } },
    { id: "split", claim: { kind: "claimed", deaths: 0, split: RANGES } },
    { id: "queued", claim: { kind: "over", why: "split" } },
    { id: "cancelled-unmet", claim: { kind: "over", why: "cancelled" } },
    { id: "cancelled-leased", claim: { kind: "over", why: "cancelled" } },
  ])("are claimed as they stand: $id", async ({ id, claim }) => {
    expect(await receipts.claim(jobOf(id), later("new"), NOW + 600_000)).toEqual(claim);
  });

  test("go on with the rest of a job, and end as rows of this version", async () => {
    const [, high] = RANGES;
    const job = jobOf("queued", high);
    expect(await receipts.claim(job, later("new"), NOW + 600_000)).toMatchObject({
      progress: { counts: COUNTS },
    });
    expect(await receipts.settle(job, "new", delivered(6), NOW + 600_000)).toBe("written");
    expect(await receipts.find(ANN, "queued" as MessageId, NOW + 600_000)).toMatchObject({
      state: "delivered",
      counts: { sent: 10, pending: 0 },
    });
  });

  test("tell a repeated id from a new one", async () => {
    const first = jobOf("delivered");
    const time = (at: number) => new Date(at).toISOString();
    const again = (at: number) => ({ message: { ...first.message, acceptanceId: "again", time: time(at) } });
    const claim = (at: number) => receipts.claim(again(at), later("new"), at);
    expect(await claim(NOW + 299_999)).toEqual({ kind: "over", why: "duplicate" });
    expect(await claim(NOW + 300_000)).toEqual({ kind: "claimed", deaths: 0 });
  });
});

test("a row of a newer version is left to a newer consumer", async () => {
  const under = consumer();
  const receipts: Receipts = { ...under.receipts, claim: async () => ({ kind: "newer", version: 2 }) };
  const { run, queue } = consumer({ receipts: { ...under.receipts, ...receipts } });
  const record = received(aMessageOf("one"));
  expect(await run([record])).toEqual([record.messageId]);
  expect(queue.hidden).toEqual([{ receiptHandle: record.receiptHandle, seconds: 60 }]);
  const item = { ...BEFORE.receipts[0], v: { N: "2" } };
  expect(rowFrom(item).v).toBe(2);
});
