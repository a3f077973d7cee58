import { afterAll, beforeAll, describe } from "vitest";
import { engineConnections } from "../../local/engine/connections.ts";
import { engineReceipts } from "../../local/engine/receipts.ts";
import { openStore, type Store } from "../../local/engine/store/store.ts";
import { engineStreams } from "../../local/engine/streams.ts";
import { engineSubscriptions } from "../../local/engine/subscriptions.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { temporary } from "../engine/store/temporary.ts";
import { type QueueAndLetters, queueOver } from "../engine/support.ts";
import { deadLettersContract } from "./dead-letters.ts";
import { messageQueueContract } from "./message-queue.ts";
import { tableContracts } from "./tables.ts";

const STORES = [
  { name: "in memory", folder: () => ({}) },
  { name: "on a disk", folder: () => ({ folder: temporary() }) },
];

describe.each(STORES)("on one machine, $name", ({ folder }) => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(folder());
  });
  afterAll(() => store.close());

  const drain = ({ queue }: QueueAndLetters, lane: Parameters<typeof queue.take>[0]) =>
    queue.take(lane, 1_000).map(({ receiptHandle, body }) => {
      queue.remove(lane, receiptHandle);
      return typeof body === "string" ? body : bodyOf(body);
    });
  const dead = async ({ deadLetters }: QueueAndLetters) =>
    (await deadLetters.receive(10, 60)).map(({ body, reason = "", lane = "" }) => ({ body, reason, lane }));

  describe.each([
    { kept: "kept in memory", memoryBytes: 1e9 },
    { kept: "read from the store", memoryBytes: 0 },
  ])("a queue whose jobs are $kept", ({ memoryBytes }) => {
    messageQueueContract(async () => {
      await empty(store);
      const under = queueOver(store, { memoryBytes });
      return {
        queue: under.queue,
        bodies: async (lane) => drain(under, lane),
        deadLetters: () => dead(under),
      };
    });
  });

  describe("dead letters", () => {
    deadLettersContract(async () => {
      await empty(store);
      const under = queueOver(store);
      const { deadLetters, clock } = under;
      return {
        deadLetters,
        add: (body, reason, lane) =>
          deadLetters.put({
            ...{ body, sentAt: Date.now() },
            ...(reason === undefined ? {} : { reason }),
            ...(lane === undefined ? {} : { lane }),
          }),
        drain: async (lane) => drain(under, lane),
        pass: (seconds) => clock.advance(seconds * 1000),
      };
    });
  });

  tableContracts({
    connections: engineConnections,
    subscriptions: engineSubscriptions,
    receipts: () => engineReceipts({ store, days: 15 }),
    streams: () => engineStreams(store),
  });
});

/** Deletes all entries and dead letters. */
async function empty(store: Store): Promise<void> {
  const all = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };
  for (const table of ["entries", "dead-letters"] as const) {
    await store.write(store.range(table, all).map(({ key }) => ({ table, key })));
  }
}

/** An adapter whose calls of these names are made by one that has just been opened. */
const readAnew = <T extends object>(open: () => T, names: readonly (keyof T)[]): T => {
  const first = open();
  return new Proxy(first, {
    get: (_, name) => (names.includes(name as keyof T) ? open() : first)[name as keyof T],
  });
};

/** What is read has been written: a process that has just started finds the same. */
describe("on one machine, read by a process that has just started", () => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore({});
  });
  tableContracts({
    connections: engineConnections,
    subscriptions: engineSubscriptions,
    receipts: () => readAnew(() => engineReceipts({ store, days: 15, process: "same" }), ["find"]),
    streams: () => readAnew(() => engineStreams(store), ["last", "root", "read", "append", "start", "empty"]),
  });
});
