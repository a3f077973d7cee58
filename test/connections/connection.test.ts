import { expect, test } from "vitest";
import { rowExpiresAt } from "../../shared/connections/connection.ts";
import { CHANGES, FRAMES, READS } from "../../shared/connections/frame-budget.ts";
import { spend } from "../../shared/connections/token-bucket.ts";

const MARGIN = 600;
const POLICY = { maxAgeSeconds: 7_200, rowMarginSeconds: MARGIN };

test.each([
  { ends: "its token", token: 3_600, lives: 3_600 },
  { ends: "the gateway", token: 9_000, lives: 7_200 },
  { ends: "both", token: 7_200, lives: 7_200 },
])("the row of a connection that $ends ends expires a margin later", ({ token, lives }) => {
  const connectedAt = 1_000_000;
  const row = { connectedAt, tokenExpiresAt: connectedAt + token * 1_000 };
  expect(rowExpiresAt(row, POLICY)).toBe(connectedAt + (lives + MARGIN) * 1_000);
});

test.each([
  { what: "changes 1,000 topics at once, and two a second", budget: CHANGES, burst: 1_000, perSecond: 2 },
  { what: "reads 300 streams at once, and five a second", budget: READS, burst: 300, perSecond: 5 },
  { what: "sends 500 frames at once, and 20 a second", budget: FRAMES, burst: 500, perSecond: 20 },
])("a connection $what", ({ budget, burst, perSecond }) => {
  const all = spend(budget, undefined, burst, 0);
  const until = (1_000 * burst) / perSecond;
  expect(all).toEqual({ kind: "allowed", spending: { kind: "restart", until } });
  expect(spend(budget, until, 1, 0)).toEqual({ kind: "refused", retryAfter: 1 });
  expect(spend(budget, until, perSecond, 1_000).kind).toBe("allowed");
  expect(spend(budget, until, perSecond + 1, 1_000).kind).toBe("refused");
});
