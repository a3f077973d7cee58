import { expect, test } from "vitest";
import { problem } from "../../shared/protocol/errors.ts";
import { tagwire } from "../support/command.ts";
import { httpPeer } from "../support/peer.ts";

const RECEIPT = {
  id: "o-1",
  producer: "dev",
  state: "partial",
  time: "2026-01-31T12:00:00.000Z",
  counts: { sent: 2, gone: 1, failed: 1, pending: 0 },
  attempts: 1,
  failed: ["abc="],
  updatedAt: "2026-01-31T12:00:01.000Z",
};

test("a receipt is told in rows", async () => {
  const { url, requests } = await httpPeer(() => ({ status: 200, body: RECEIPT }));
  const { code, out } = await tagwire(["receipt", "o-1"], { env: { TAGWIRE_URL: url } });
  expect(code).toBe(0);
  expect(requests).toMatchObject([{ method: "GET", path: "/v1/messages/o-1" }]);
  expect(out).toBe(
    [
      "state        partial",
      "connections  2 sent, 1 gone, 1 failed, 0 pending",
      "failed       abc=",
      "attempts     1",
      "producer     dev",
      "accepted     2026-01-31T12:00:00.000Z",
      "updated      2026-01-31T12:00:01.000Z\n",
    ].join("\n"),
  );
});

test("--json prints the receipt as the router gave it", async () => {
  const { url } = await httpPeer(() => ({ status: 200, body: RECEIPT }));
  const { out } = await tagwire(["receipt", "o-1", "--json"], { env: { TAGWIRE_URL: url } });
  expect(JSON.parse(out)).toEqual(RECEIPT);
});

test("an admin may name another producer, and ids are escaped", async () => {
  const { url, requests } = await httpPeer(() => ({ status: 200, body: RECEIPT }));
  await tagwire(["receipt", "a/b?c", "--producer", "x&y"], { env: { TAGWIRE_URL: url } });
  await tagwire(["cancel", "o-1", "--producer", "ann"], { env: { TAGWIRE_URL: url } });
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "GET /v1/messages/a%2Fb%3Fc?producer=x%26y",
    "DELETE /v1/messages/o-1?producer=ann",
  ]);
});

test.each([
  { answer: { status: 200, body: { ...RECEIPT, state: "delivered" } }, says: "delivered o-1\n" },
  { answer: { status: 200, body: { ...RECEIPT, state: "cancelled" } }, says: "cancelled o-1\n" },
])("cancel tells the state that the message is in: $says", async ({ answer, says }) => {
  const { url, requests } = await httpPeer(() => answer);
  const done = await tagwire(["cancel", "o-1"], { env: { TAGWIRE_URL: url } });
  expect(done).toEqual({ code: 0, out: says, err: "" });
  expect(requests).toMatchObject([{ method: "DELETE", path: "/v1/messages/o-1" }]);
});

test.each([
  { verb: "receipt", says: "no run has met o-2 yet, or it is unknown" },
  { verb: "cancel", says: "no receipt for o-2" },
])("$verb fails if there is no receipt, and says why", async ({ verb, says }) => {
  const body = problem({ code: "RECEIPT_NOT_FOUND", detail: "no receipt for o-2" });
  const { url } = await httpPeer(() => ({ status: 404, body }));
  const done = await tagwire([verb, "o-2"], { env: { TAGWIRE_URL: url } });
  expect(done).toEqual({ code: 1, out: "", err: `tagwire: RECEIPT_NOT_FOUND: ${says}\n` });
});
