import { expect, test } from "vitest";
import { CONNECTION_SECONDS } from "../../shared/protocol/limits.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { socketFunction } from "../support/socket-function.ts";

test("the rows of a connection outlive it by the margin, for clocks that differ", async () => {
  const { connect, scan, connectedAt } = await socketFunction();
  expect(await connect("c=", { exp: Math.floor(connectedAt / 1000) + 86_400 })).toMatchObject({
    statusCode: 200,
  });
  const seconds = CONNECTION_SECONDS + DEFAULTS.advanced.rowMarginSeconds;
  const until = Math.floor((connectedAt + seconds * 1000) / 1000);
  const rows = [...(await scan("connections")), ...(await scan("subscriptions"))];
  expect(rows).toHaveLength(3);
  for (const { ttl } of rows) expect(Number(ttl?.N)).toBe(until);
});
