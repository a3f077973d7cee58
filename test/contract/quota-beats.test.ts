import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoQuotaBeats } from "../../shared/adapters/dynamodb/quota-beats.ts";
import { isRecent } from "../../shared/ports/quota-beats.ts";
import { memoryQuotaBeats } from "../../testing/memory/quota-beats.ts";
import { NOW } from "../support/message.ts";
import { type CheckedTables, startCheckedTables } from "../support/tables.ts";
import { quotaBeatsContract } from "./quota-beats.ts";

let tables: CheckedTables;
const clients: DynamoDBClient[] = [];
const calls: string[] = [];
beforeAll(async () => {
  tables = await startCheckedTables();
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await tables.stop();
});

/** A container with a client of its own, as each has. */
function container(quota: string, endpoint = tables.endpoint) {
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 });
  clients.push(client);
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      (args) => {
        calls.push(commandName);
        return next(args);
      },
    { step: "initialize" },
  );
  return dynamoQuotaBeats({ client, table: tables.names.quotas, quota, now: () => NOW });
}

describe("in memory", () =>
  quotaBeatsContract(() => {
    const beats = memoryQuotaBeats();
    return () => beats;
  }));

describe("in DynamoDB", () => {
  quotaBeatsContract(() => {
    const quota = randomUUID();
    return () => container(quota);
  });

  const entry = { id: "a", count: 1, sendsPerSecond: 1, claimedPerSecond: 1, weight: 1, isWaiting: true };

  test("a beat is one write and no read", async () => {
    const beats = container(randomUUID());
    calls.length = 0;
    await beats.beat(entry);
    await beats.beat({ ...entry, count: 2 });
    expect(calls).toEqual(["UpdateItemCommand", "UpdateItemCommand"]);
  });

  test("every signature was valid, and no read asked for less than the last write", () => {
    expect(tables.refusals).toEqual([]);
  });

  test("a table that cannot be reached is a fault with a name and a cause", async () => {
    const beats = container("q", "http://127.0.0.1:1");
    for (const call of [beats.beat(entry), beats.read(), beats.remove(entry)]) {
      await expect(call).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE", cause: expect.any(Error) });
    }
    onTestFinished(() => void calls.splice(0));
  });
});

test.each([
  { written: NOW, at: NOW + 9_999, recent: true },
  { written: NOW, at: NOW + 10_000, recent: false },
  { written: NOW + 60_000, at: NOW, recent: true },
  { written: undefined, at: NOW, recent: true },
  { written: NOW, at: undefined, recent: true },
])("an entry written at $written counts at $at: $recent", ({ written, at, recent }) => {
  const entry = written === undefined ? {} : { at: written };
  expect(isRecent(entry, at === undefined ? {} : { at })).toBe(recent);
});
