import { expect, test } from "vitest";
import { TABLES, type TableDescription, type TableName } from "../../shared/settings/tables.ts";
import { FUNCTIONS, STREAM_ENV } from "../../shared/settings/variables.ts";
import { synth } from "./support.ts";

const names = Object.keys(TABLES) as TableName[];
const streams = [{ topics: "orders/*", seconds: 3_600, count: 1_000 }];
const { template, router, idOf, propertiesOf } = synth({ settings: { streams } });
const tableOf = (name: TableName) => router.tables[name] ?? expect.fail(`there is no table ${name}`);

test.each(names)("table %s has the keys of the description, and forgets by TTL", (name) => {
  const { partitionKey, sortKey, sortKeyType = "S", timeToLive }: TableDescription = TABLES[name];
  expect(propertiesOf(tableOf(name))).toMatchObject({
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: partitionKey, AttributeType: "S" },
      ...(sortKey ? [{ AttributeName: sortKey, AttributeType: sortKeyType }] : []),
    ],
    KeySchema: [
      { AttributeName: partitionKey, KeyType: "HASH" },
      ...(sortKey ? [{ AttributeName: sortKey, KeyType: "RANGE" }] : []),
    ],
    TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
  });
});

test.each(
  names,
)("table %s can be put back if clients do not make its rows again as they reconnect", (name) => {
  expect(propertiesOf(tableOf(name))).toMatchObject({
    Replicas: [
      {
        PointInTimeRecoverySpecification: {
          PointInTimeRecoveryEnabled: name === "receipts" || name === "streams",
        },
      },
    ],
  });
});

test.each([
  { keeps: "a topic's stream", settings: { streams }, count: 1 },
  { keeps: "the users' streams", settings: { userStreams: { seconds: 60, count: 10 } }, count: 1 },
  { keeps: "no stream", settings: {}, count: 0 },
])("a router that keeps $keeps has $count tables for them, and functions that know of them", (given) => {
  const { router: other, variablesOf } = synth({ settings: given.settings });
  expect(Object.keys(other.tables)).toHaveLength(4 + given.count);
  expect("StreamsTableName" in other.outputs()).toBe(given.count > 0);
  const knowing = FUNCTIONS.filter((name) => "STREAMS_TABLE" in variablesOf(other.functions[name]));
  expect(knowing).toEqual(given.count > 0 ? Object.keys(STREAM_ENV) : []);
});

test("receipts and streams outlive the stack; what says who is connected goes with its sockets", () => {
  const policies = names.map((name) => template.toJSON().Resources[idOf(tableOf(name))].DeletionPolicy);
  expect(policies).toEqual(["Delete", "Delete", "RetainExceptOnCreate", "Delete", "RetainExceptOnCreate"]);
});

test("the tables that a mass reconnect writes to can be warm from the start, but for an emulator", () => {
  const warmThroughput = { writeUnitsPerSecond: 40_000, readUnitsPerSecond: 12_000 };
  const warm = (emulator: object) => {
    const made = synth({ warmThroughput, settings: { streams }, ...emulator });
    return names.map(
      (name) => made.propertiesOf(made.router.tables[name] ?? expect.fail())["WarmThroughput"],
    );
  };
  const written = { WriteUnitsPerSecond: 40_000, ReadUnitsPerSecond: 12_000 };
  expect(warm({})).toEqual([written, written, undefined, undefined, undefined]);
  expect(warm({ emulator: { endpoint: "http://localhost:4566" } })).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
