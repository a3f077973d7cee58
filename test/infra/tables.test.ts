import { expect, test } from "vitest";
import { TABLES, type TableDescription, type TableName } from "../../shared/settings/tables.ts";
import { synth } from "./support.ts";

const names = Object.keys(TABLES) as TableName[];
const { template, router, idOf, propertiesOf } = synth();

test.each(names)("table %s has the keys of the description, forgets by TTL and can be put back", (name) => {
  const { partitionKey, sortKey, timeToLive }: TableDescription = TABLES[name];
  expect(propertiesOf(router.tables[name])).toMatchObject({
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [
      { AttributeName: partitionKey, KeyType: "HASH" },
      ...(sortKey ? [{ AttributeName: sortKey, KeyType: "RANGE" }] : []),
    ],
    TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
    Replicas: [{ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
  });
});

test("receipts outlive the stack; what says who is connected goes with its sockets", () => {
  const policies = names.map((name) => template.toJSON().Resources[idOf(router.tables[name])].DeletionPolicy);
  expect(policies).toEqual(["Delete", "Delete", "RetainExceptOnCreate"]);
});
