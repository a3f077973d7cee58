import { ApiGatewayManagementApiClient, GetConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { type AttributeValue, PutItemCommand, paginateScan } from "@aws-sdk/client-dynamodb";
import { expect, inject, test } from "vitest";
import { CONNECTING } from "../../shared/protocol/limits.ts";
import { sortKey } from "../../shared/receipts/hash-range.ts";
import { clientConfig } from "./harness/aws.ts";
import { connect, producer } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";

const router = deployment();

test("a dead socket is forgotten after one 410, and the others get their message", async () => {
  const shop = await producer(router, "shop");
  const lost = await connect(router, "jo");
  const [lostId = ""] = await router.connectionsOf("jo");
  const live = await connect(router, "jo");
  await lose(lostId, lost.close);
  for (const gone of [1, 0]) {
    const id = await shop.send({ target: { user: "jo" }, data: gone });
    expect(await live.message()).toMatchObject({ id });
    expect(await shop.ended(id)).toMatchObject({ state: "delivered", counts: { sent: 1, gone } });
  }
  expect(await router.connectionsOf("jo")).toHaveLength(1);
  await live.close();
});

/**
 * Closes a connection and leaves its rows as if $disconnect had never come. They get an earlier time of connect: a
 * $disconnect that is still on its way then leaves them alone, and the consumer does not think that it is too early
 * to tell.
 */
async function lose(id: string, close: () => Promise<void>): Promise<void> {
  const { connections, subscriptions } = router.tables;
  const rows = [
    ...(await rowsOf(connections, "connectionId", id)),
    ...(await rowsOf(subscriptions, "key", sortKey(id))),
  ];
  await close();
  const posts = new ApiGatewayManagementApiClient({
    ...clientConfig(inject("deployed").endpoint),
    endpoint: router.socketUrl.replace(/^ws/, "http"),
  });
  const status = () =>
    posts.send(new GetConnectionCommand({ ConnectionId: id })).then(
      () => 200,
      (fault) => fault.$metadata.httpStatusCode,
    );
  await expect.poll(status).toBe(410);
  for (const { table, row } of rows) {
    const Item = { ...row, connectedAt: { N: String(Number(row["connectedAt"]?.N) - CONNECTING) } };
    await router.dynamo.send(new PutItemCommand({ TableName: table, Item }));
  }
}

async function rowsOf(table: string, attribute: string, value: string) {
  const rows: { table: string; row: Record<string, AttributeValue> }[] = [];
  for await (const { Items = [] } of paginateScan({ client: router.dynamo }, { TableName: table })) {
    rows.push(...Items.filter((row) => row[attribute]?.S === value).map((row) => ({ table, row })));
  }
  return rows;
}
