import { expect, test } from "vitest";
import { receiptsFunction } from "../../functions/aws/receipts.ts";
import { tokenFor } from "../support/client.ts";
import { emulators } from "./support.ts";

const functions = emulators();

async function ask(method: string, claims: Record<string, unknown>, id = "order-1") {
  const { runtime } = functions.runtime("receipts");
  const answer = await receiptsFunction(runtime)({
    headers: { authorization: `Bearer ${await tokenFor("shop", claims)}` },
    requestContext: { http: { method } },
    pathParameters: { id },
  });
  return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(String(answer.body)) };
}

const CLIENT = { publish: [], subscribe: ["*"] };

test.each([
  "GET",
  "DELETE",
])("a client's token reaches no receipts by %s, not even with the producer's sub", async (method) => {
  const { status, body } = await ask(method, CLIENT);
  expect({ status, code: body.code }).toEqual({ status: 403, code: "RECEIPT_FORBIDDEN" });
});

test("a client's token cancels nothing", async () => {
  await ask("DELETE", CLIENT, "order-2");
  expect((await ask("GET", { publish: ["topic:orders"] }, "order-2")).status).toBe(404);
});

test.each([
  { who: "a producer, of whatever it may publish to,", claims: { publish: ["topic:news"] } },
  { who: "an admin", claims: { publish: [], admin: true } },
])("$who cancels and reads", async ({ who, claims }) => {
  const id = `of-${who.length}`;
  expect(await ask("DELETE", claims, id)).toMatchObject({ status: 200, body: { state: "cancelled" } });
  expect(await ask("GET", claims, id)).toMatchObject({ status: 200, body: { state: "cancelled" } });
});

test("a receipt that no run has written yet may be asked for again after a second", async () => {
  const { status, headers, body } = await ask("GET", { publish: ["*"] }, "not-yet");
  expect({ status, code: body.code, retryAfter: body.retryAfter }).toEqual({
    status: 404,
    code: "RECEIPT_NOT_FOUND",
    retryAfter: 1,
  });
  expect(headers).toMatchObject({ "retry-after": "1" });
});

test("a bad id is no reason to ask again", async () => {
  const { status, headers } = await ask("GET", { publish: ["*"] }, "..");
  expect(status).toBe(400);
  expect(headers).not.toHaveProperty("retry-after");
});
