import { readFileSync } from "node:fs";
import { type AttributeValue, DynamoDBClient, PutItemCommand, paginateScan } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { startTables, type Tables } from "../../local/twin/emulators/table.ts";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import { listParts, type SpreadTag } from "../../shared/connections/list-parts.ts";
import type { Subscriptions } from "../../shared/ports.ts";
import type { ConnectionId, Tag } from "../../shared/protocol/tag.ts";
import { WHOLE } from "../../shared/receipts/hash-range.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { NOW } from "../support/message.ts";

const MINUTE = 60_000;
const LIFE = 120 * MINUTE;
const EVERYONE = "everyone" as Tag;

let tables: Tables;
let client: DynamoDBClient;
beforeAll(async () => {
  tables = await startTables();
  client = new DynamoDBClient({ endpoint: tables.endpoint, region: REGION, credentials: CREDENTIALS });
});
afterAll(async () => {
  client.destroy();
  await tables.stop();
});

/** Code that was deployed with these settings. Without any it writes the rows of the release before. */
function deployed(clock: ReturnType<typeof memoryClock>, spread: readonly SpreadTag[]): Subscriptions {
  return dynamoSubscriptions({
    ...{ client, table: tables.names.subscriptions, clock, random: () => 0.5, patience: () => 60_000 },
    ...(spread.length > 0 ? { parts: listParts(spread) } : {}),
  });
}

const spreadFrom = (minutes: number, hashBits: number, hashBitsBefore: number): SpreadTag => ({
  ...{ tag: "everyone", hashBits, hashBitsBefore },
  since: new Date(NOW + minutes * MINUTE).toISOString().replace(".000", ""),
});

async function everyone(subscriptions: Subscriptions, now: number, limit: number): Promise<string[]> {
  const seen: string[] = [];
  for (let from: string | undefined = WHOLE.from; from !== undefined; ) {
    const { rows, next } = await subscriptions.page(EVERYONE, { ...WHOLE, from, limit, now });
    seen.push(...rows.map(({ connectionId }) => connectionId));
    from = next;
  }
  return seen.toSorted();
}

const rowsLeft = async (): Promise<number> => {
  let count = 0;
  for await (const { Items = [] } of paginateScan({ client }, { TableName: tables.names.subscriptions }))
    count += Items.length;
  return count;
};

/** Minutes between the steps, what happens, and whether old code does it as long as there is old code. */
const steps = fc.array(
  fc.record({
    minutes: fc.integer({ min: 0, max: 25 }),
    verb: fc.constantFrom("connect", "connect", "disconnect"),
    byOld: fc.boolean(),
  }),
  { minLength: 20, maxLength: 40 },
);

test.each([
  { what: "a list is spread", before: [], after: spreadFrom(60, 3, 0) },
  { what: "a list is spread wider", before: [spreadFrom(-600, 1, 0)], after: spreadFrom(60, 4, 1) },
  { what: "a list is gathered again", before: [spreadFrom(-600, 3, 0)], after: spreadFrom(60, 0, 3) },
])("nobody is lost, told twice or left behind while old and new code run side by side and $what", async ({
  before,
  after,
}) => {
  // Connections come and go for hours; the last old run ends half an hour before the change.
  const OLD_UNTIL = NOW + 30 * MINUTE;
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 8 }), async (plan, limit) => {
      const clock = memoryClock(NOW);
      const [old, young] = [deployed(clock, before), deployed(clock, [after])];
      const open = new Map<ConnectionId, number>();
      for (const [i, { minutes, verb, byOld }] of plan.entries()) {
        clock.advance(minutes * MINUTE);
        const now = clock.now();
        const code = byOld && now < OLD_UNTIL ? old : young;
        for (const [id, connectedAt] of [...open]) {
          if (connectedAt + LIFE > now) continue;
          await code.remove([EVERYONE], { connectionId: id, connectedAt });
          open.delete(id);
        }
        const [first] = open;
        if (verb === "connect") {
          const id = `c${i}=` as ConnectionId;
          await code.add([EVERYONE], { connectionId: id, connectedAt: now }, now + LIFE);
          open.set(id, now);
        } else if (first) {
          await code.remove([EVERYONE], { connectionId: first[0], connectedAt: first[1] });
          open.delete(first[0]);
        }
        expect(await everyone(young, now, limit)).toEqual([...open.keys()].toSorted());
        if (now < OLD_UNTIL) expect(await everyone(old, now, limit)).toEqual([...open.keys()].toSorted());
      }
      expect(await rowsLeft()).toBe(open.size);
      for (const [connectionId, connectedAt] of open)
        await young.remove([EVERYONE], { connectionId, connectedAt });
      expect(await rowsLeft()).toBe(0);
    }),
    { numRuns: 5 },
  );
});

test("rows of the first release are found and removed by code that spreads their list from later on", async () => {
  const url = new URL("connections-v0.json", import.meta.url);
  const { subscriptions }: { subscriptions: Record<string, AttributeValue>[] } = JSON.parse(
    readFileSync(url, "utf8"),
  );
  for (const Item of subscriptions)
    await client.send(new PutItemCommand({ TableName: tables.names.subscriptions, Item }));
  const clock = memoryClock(NOW + 90 * MINUTE);
  const code = deployed(clock, [spreadFrom(60, 5, 0)]);
  expect(await everyone(code, clock.now(), 10)).toEqual(["c0="]);
  const tags = subscriptions.map(({ tag }) => tag?.S as Tag);
  await code.remove(tags, { connectionId: "c0=" as ConnectionId, connectedAt: NOW });
  expect(await rowsLeft()).toBe(0);
});
