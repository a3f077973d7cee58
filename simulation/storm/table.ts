import { BatchWriteItemCommand, DeleteItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Connection, Connections } from "../../shared/ports.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { hashOf, sortKey } from "../../shared/receipts/hash-range.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { type Bucket, bucket, type Wheel } from "./wheel.ts";

export interface TableWorld {
  readonly wheel: Wheel;
  readonly random: () => number;
  /** Write units a second of a partition key, and of a table. */
  readonly keyWrites: number;
  readonly tableWrites: number;
  /**
   * Partitions of the table of lists, of `keyWrites` each, among which the keys lie at random: DynamoDB moves none while it
   * lasts. 0: every key has one of its own, as after DynamoDB has split them by their heat.
   */
  readonly partitions: number;
  /** How many of the calls fail before they did what they should, and how many after it. */
  readonly faults: number;
}

/** Milliseconds of a call. */
const LATENCY = { least: 3, spread: 4 };

/** Tries of a call by the SDK, and the pause before the second where the first was throttled (functions/aws/clients.ts). */
const TRIES = 2;
const THROTTLED = 1_000;

class Throttled extends Error {
  override readonly name = "ProvisionedThroughputExceededException";
}

/** Runs calls as the SDK does: a call that is throttled is tried once more. */
const caller =
  ({ wheel, random, faults }: TableWorld) =>
  async <T>(effect: () => Promise<T> | T): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      await wheel.sleep(LATENCY.least + random() * LATENCY.spread);
      try {
        if (random() < faults) throw new Error("the connection was reset");
        const value = await effect();
        if (random() < faults) throw new Error("no answer came");
        return value;
      } catch (fault) {
        if (!(fault instanceof Throttled) || attempt >= TRIES) throw fault;
        await wheel.sleep(random() * THROTTLED);
      }
    }
  };

export interface ListTable {
  readonly client: DynamoDBClient;
  /** Connect times by sort key, by partition key. */
  readonly rows: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly writes: Bucket;
  /** The most writes that one partition key took in a second. */
  busiestKey(): number;
  put(partitionKey: string, key: string, connectedAt: number): void;
  throttled(): number;
}

/** The table of lists: only what a connect, a disconnect and a change of topics ask of it. */
export function listTable(world: TableWorld): ListTable {
  const { wheel, keyWrites, tableWrites, partitions } = world;
  const call = caller(world);
  const rows = new Map<string, Map<string, number>>();
  const keys = new Map<string, Bucket>();
  const shared = Array.from({ length: partitions }, () => bucket(wheel, keyWrites));
  const writes = bucket(wheel, tableWrites);
  let throttled = 0;
  const put = (partitionKey: string, key: string, connectedAt: number) => {
    const list = rows.get(partitionKey) ?? new Map<string, number>();
    rows.set(partitionKey, list.set(key, connectedAt));
  };
  const isTaken = (partitionKey: string): boolean => {
    const own = keys.get(partitionKey) ?? bucket(wheel, keyWrites);
    keys.set(partitionKey, own);
    const partition = shared[Number.parseInt(hashOf(sortKey(partitionKey)), 16) % partitions];
    const taken: Bucket[] = [];
    for (const each of [own, ...(partition ? [partition] : []), writes]) {
      if (!each.take(1)) {
        for (const one of taken) one.charge(-1);
        throttled++;
        return false;
      }
      taken.push(each);
    }
    return true;
  };
  const send = async (command: unknown): Promise<unknown> => {
    if (command instanceof BatchWriteItemCommand) {
      const [[table = "", puts = []] = []] = Object.entries(command.input.RequestItems ?? {});
      return call(() => {
        const left = puts.filter(({ PutRequest: { Item = {} } = {} }) => {
          if (!isTaken(Item["tag"]?.S ?? "")) return true;
          put(Item["tag"]?.S ?? "", Item["key"]?.S ?? "", Number(Item["connectedAt"]?.N));
          return false;
        });
        if (left.length === puts.length) throw new Throttled();
        return { UnprocessedItems: left.length > 0 ? { [table]: left } : {} };
      });
    }
    if (command instanceof DeleteItemCommand) {
      const { Key = {}, ExpressionAttributeValues = {} } = command.input;
      const [tag, key] = [Key["tag"]?.S ?? "", Key["key"]?.S ?? ""];
      return call(() => {
        if (!isTaken(tag)) throw new Throttled();
        const list = rows.get(tag);
        if (list?.get(key) !== Number(ExpressionAttributeValues[":at"]?.N))
          throw Object.assign(new Error(), { name: "ConditionalCheckFailedException" });
        list.delete(key);
        return {};
      });
    }
    throw new TypeError("the storm sends no such command");
  };
  return {
    client: { send } as unknown as DynamoDBClient,
    rows,
    writes,
    busiestKey() {
      let busiest = 0;
      for (const key of keys.values()) busiest = Math.max(busiest, key.busiest());
      return busiest;
    },
    put,
    throttled: () => throttled,
  };
}

export interface ConnectionTable extends Connections {
  readonly writes: Bucket;
  /** Writes a row at once, and for nothing. */
  seed(row: Connection): Promise<void>;
  has(id: ConnectionId): Promise<boolean>;
}

/** The table of connections: a call that writes costs a unit, and no key is written twice as often as others. */
export function connectionTable(world: TableWorld): ConnectionTable {
  const call = caller(world);
  const rows = memoryConnections();
  const writes = bucket(world.wheel, world.tableWrites);
  const write = async <T>(effect: () => Promise<T>): Promise<T> => {
    try {
      return await call(() => {
        if (!writes.take(1)) throw new Throttled();
        return effect();
      });
    } catch (fault) {
      throw new TagwireError("TABLE_UNAVAILABLE", "writing a connection failed", { cause: fault });
    }
  };
  return {
    ...rows,
    writes,
    seed: rows.put,
    has: async (id) => (await rows.read(id, 0)) !== undefined,
    read: async (id, now) => await call(() => rows.read(id, now)).catch((cause: unknown) => failed(cause)),
    put: (row) => write(() => rows.put(row)),
    change: (row, change) => write(() => rows.change(row, change)),
    settle: (row, mark) => write(() => rows.settle(row, mark)),
    delete: (holder) => write(() => rows.delete(holder)),
  };
}

const failed = (cause: unknown): never => {
  throw new TagwireError("TABLE_UNAVAILABLE", "reading a connection failed", { cause });
};
