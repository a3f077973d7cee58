import { expect, test } from "vitest";
import { type Carried, carry, type Destination } from "../../cli/moving/carry.ts";
import { readExport } from "../../shared/moving/reader.ts";
import type { Content } from "../../shared/moving/writer.ts";
import type { Entry, MessageQueue } from "../../shared/ports.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import type { StreamRow } from "../../shared/streams/stream.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryReceiptImport } from "../../testing/memory/receipt-import.ts";
import { memoryStreams } from "../../testing/memory/streams.ts";
import { aJob, NOW } from "../support/message.ts";
import { written } from "./lines.ts";

interface Lanes extends Pick<MessageQueue, "send" | "deadLetter"> {
  readonly sent: { readonly lane: string; readonly id: string; readonly delaySeconds: number | undefined }[];
  readonly dead: { readonly lane: string; readonly body: string; readonly reason: string }[];
}

/** Lanes in arrays. `takes` says whether an entry is stored, and may throw. */
function lanes(takes: (entry: Entry, sent: number) => boolean = () => true): Lanes {
  const [sent, dead]: [Lanes["sent"], Lanes["dead"]] = [[], []];
  return {
    sent,
    dead,
    send: async (lane, entries) =>
      entries.map((entry) => {
        const { job, delaySeconds } = entry;
        const isTaken = takes(entry, sent.length);
        if (isTaken) sent.push({ lane, id: job.message.id, delaySeconds });
        return isTaken;
      }),
    async deadLetter(lane, body, reason) {
      dead.push({ lane, body, reason });
    },
  };
}

async function carried(
  content: readonly Content[],
  to: Partial<Destination> & Pick<Destination, "queue">,
  holdSeconds = 0,
): Promise<Carried> {
  async function* text() {
    yield written(content);
  }
  const { advance: _, ...clock } = memoryClock(NOW);
  return carry(
    readExport(text()),
    { receipts: memoryReceiptImport(), streams: memoryStreams(), ...to },
    { holdSeconds, clock, random: () => 0.5, onLines: () => {} },
  );
}

const aWaiting = (n: number, fields: Partial<Extract<Content, { kind: "waiting" }>> = {}): Content => ({
  ...{ kind: "waiting", entry: String(n), lane: "normal", receives: 1, sentAt: NOW },
  body: bodyOf(aJob({ id: `m-${n}` as MessageId })),
  ...fields,
});
const aDeadLetter = (n: number): Content => ({
  ...{ kind: "dead-letter", entry: String(n), lane: "low", reason: "503", sentAt: NOW },
  body: bodyOf(aJob({ id: `d-${n}` as MessageId })),
});
const many = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test("a message that waits keeps its lane, and its delay or the time that all are held", async () => {
  const queue = lanes();
  const content = [
    aWaiting(1, { lane: "high" }),
    aWaiting(2, { lane: "fanout-normal", delayedUntil: NOW + 299_500 }),
    aWaiting(3, { delayedUntil: NOW + 5_000 }),
    aWaiting(4, { delayedUntil: NOW + 9_999_999 }),
  ];
  await carried(content, { queue }, 60);
  expect(queue.sent.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual([
    { lane: "high", id: "m-1", delaySeconds: 60 },
    { lane: "fanout-normal", id: "m-2", delaySeconds: 300 },
    { lane: "normal", id: "m-3", delaySeconds: 60 },
    { lane: "normal", id: "m-4", delaySeconds: 900 },
  ]);
});

test("a dead letter keeps its lane and reason, and a body that is no job becomes one, as a consumer would make it", async () => {
  const queue = lanes();
  const letter = aDeadLetter(1);
  await carried([letter, aWaiting(2, { body: "no job" })], { queue });
  expect(queue.dead).toEqual([
    { lane: "low", body: "body" in letter && letter.body, reason: "503" },
    { lane: "normal", body: "no job", reason: "MESSAGE_INVALID: the text is not JSON" },
  ]);
});

test("an import that broke off goes on where it was, and at most the batch under way is sent twice", async () => {
  const receipts = memoryReceiptImport();
  const content = [...many(150).map(aDeadLetter), ...many(250).map((n) => aWaiting(n))];
  const broken = lanes((_, sent) => {
    if (sent === 130) throw new Error("killed");
    return true;
  });
  await expect(carried(content, { queue: broken, receipts })).rejects.toThrow("killed");
  expect(broken.dead).toHaveLength(150);
  const rest = lanes();
  expect(await carried(content, { queue: rest, receipts })).toMatchObject({
    carried: { "dead-letter": 0, waiting: 150 },
    there: 250,
  });
  expect(rest.dead).toEqual([]);
  expect(new Set([...broken.sent, ...rest.sent].map(({ id }) => id)).size).toBe(250);
  const third = lanes();
  expect(await carried(content, { queue: third, receipts })).toMatchObject({ there: 400 });
  expect([third.sent, third.dead]).toEqual([[], []]);
});

test("what a lane does not take at first is sent again by itself, and an import does not go on without it", async () => {
  const met = new Set<string>();
  /** Only the second time that it is asked. */
  const late = lanes(({ job }) => met.has(job.message.id) || !met.add(job.message.id));
  await carried(
    many(3).map((n) => aWaiting(n)),
    { queue: late },
  );
  expect(late.sent.map(({ id }) => id)).toEqual(["m-1", "m-2", "m-3"]);
  const never = carried([aWaiting(1)], { queue: lanes(() => false) });
  await expect(never).rejects.toMatchObject({
    code: "QUEUE_UNAVAILABLE",
    message: "lane normal did not take 1 messages",
  });
});

const ORDERS = "topic:orders" as Tag;
const aStreamRow = (seq: number, next: number, fields: Partial<StreamRow> = {}): StreamRow => ({
  ...{ seq, next, messages: Array<string>(next - seq).fill("{}"), run: "r" },
  ...{ at: NOW, until: NOW + 1_000, expiresAt: NOW + 2_000 },
  ...fields,
});
const ROOT_ROW = aStreamRow(0, 10, { messages: [] });
/** As an export has it: the head, the root, and what is between. */
const STREAM: Content[] = [aStreamRow(13, 15), ROOT_ROW, aStreamRow(10, 12), aStreamRow(12, 13)].map(
  (row) => ({
    ...{ kind: "stream", stream: ORDERS, row },
  }),
);

test("rows of a stream keep their numbers, and a second import finds them", async () => {
  const streams = memoryStreams();
  expect(await carried(STREAM, { queue: lanes(), streams })).toMatchObject({
    carried: { stream: 4 },
    begun: [],
  });
  const { rows } = await streams.read(ORDERS, 0, 100);
  expect(rows.map(({ seq, next }) => [seq, next])).toEqual([
    [0, 10],
    [10, 12],
    [12, 13],
    [13, 15],
  ]);
  // Meanwhile it has gone on, and a message was cancelled.
  await streams.append(ORDERS, aStreamRow(15, 16, { run: "later" }));
  await streams.empty(ORDERS, { seq: 12, index: 0, run: "r" });
  expect(await carried(STREAM, { queue: lanes(), streams })).toMatchObject({
    carried: { stream: 0 },
    there: 4,
    begun: [],
  });
  expect((await streams.read(ORDERS, 12, 12)).rows[0]?.messages).toEqual([""]);
});

test.each([
  { why: "has begun", own: [aStreamRow(0, 900, { messages: [] })] },
  { why: "has begun and gone on", own: [aStreamRow(0, 900, { messages: [] }), aStreamRow(900, 901)] },
  { why: "has another row at the end", own: [aStreamRow(13, 14, { run: "x" })] },
  { why: "has begun below", own: [aStreamRow(0, 11, { messages: [] })] },
])("a stream that $why by itself is left as it is, and named", async ({ own }) => {
  const streams = memoryStreams();
  for (const row of own) await streams.append(ORDERS, row);
  expect(await carried(STREAM, { queue: lanes(), streams })).toMatchObject({ begun: [ORDERS] });
  for (const row of own) expect((await streams.read(ORDERS, row.seq, row.seq)).rows[0]).toEqual(row);
});

test("a stream whose first row is gone, and that is begun in the middle of an import, is named too", async () => {
  const streams = memoryStreams();
  const racing = {
    ...streams,
    async last(stream: Tag) {
      const last = await streams.last(stream);
      await streams.append(stream, aStreamRow(0, 900, { messages: [] }));
      return last;
    },
  };
  const [head] = STREAM;
  const rootless = head ? [head] : [];
  expect(await carried(rootless, { queue: lanes(), streams: racing })).toMatchObject({ begun: [ORDERS] });
});

test("whoever appends in the middle of an import goes on after the head", async () => {
  const streams = memoryStreams();
  const seen: (number | undefined)[] = [];
  const watched = {
    ...streams,
    async append(...[stream, row]: Parameters<typeof streams.append>) {
      const there = await streams.append(stream, row);
      seen.push((await streams.last(stream))?.next);
      return there;
    },
  };
  await carried(STREAM, { queue: lanes(), streams: watched });
  expect(seen).toEqual([15, 15, 15, 15]);
});

test("a body of a newer version stops the import before it is sent", async () => {
  const queue = lanes();
  const body = JSON.stringify({ v: 9 });
  await expect(carried([aWaiting(1, { body })], { queue })).rejects.toMatchObject({ code: "EXPORT_NEWER" });
  expect(queue.sent).toEqual([]);
});
