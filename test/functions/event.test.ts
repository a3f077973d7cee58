import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ingestFunction } from "../../functions/aws/ingest.ts";
import { receiptsFunction } from "../../functions/aws/receipts.ts";
import type { HttpEvent } from "../../functions/runtime/event.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { tokenFor } from "../support/client.ts";
import { emulators, postOf } from "./support.ts";

const functions = emulators();
const handlers = () => ({
  ingest: ingestFunction(functions.runtime("ingest").runtime),
  receipts: receiptsFunction(functions.runtime("receipts").runtime),
});

const statusOf = async (answer: Promise<{ statusCode?: number | undefined }>) => (await answer).statusCode;
const GOOD = '{"target":{"topic":"orders"},"data":1}';

describe("an event with parts missing, as emulators and other callers send it,", () => {
  test.each<{ what: string; event: HttpEvent }>([
    { what: "no event at all", event: undefined },
    { what: "null", event: null },
    { what: "nothing", event: {} },
    { what: "headers that are null", event: { headers: null, requestContext: null, body: null } },
    { what: "headers of no text", event: { headers: { authorization: 7, "content-type": {} } } },
    { what: "a list of headers", event: { headers: [["authorization", "Bearer x"]] } },
  ])("is refused by each function: $what", async ({ event }) => {
    const { ingest, receipts } = handlers();
    expect([await statusOf(ingest(event)), await statusOf(receipts(event))]).toEqual([401, 401]);
  });

  test.each([
    {
      what: "names in capitals",
      of: (token: string) => ({ Authorization: token, "Content-Type": "application/json" }),
    },
    {
      what: "names in other cases",
      of: (token: string) => ({ AUTHORIZATION: token, "content-TYPE": "application/json" }),
    },
    {
      what: "values in lists",
      of: (token: string) => ({ authorization: [token], "content-type": ["application/json"] }),
    },
    {
      what: "one twice, once empty",
      of: (token: string) => ({
        Authorization: null,
        authorization: token,
        "content-type": "application/json",
      }),
    },
  ])("is taken with header $what", async ({ of }) => {
    const token = await tokenFor("producer");
    const event = postOf(token, GOOD, {
      headers: of(`Bearer ${token}`),
      isBase64Encoded: undefined,
      requestContext: undefined,
    });
    expect(await statusOf(handlers().ingest(event))).toBe(202);
  });

  const asked = async (more: HttpEvent) => {
    const headers = { Authorization: `Bearer ${await tokenFor("producer")}` };
    const { statusCode, body } = await handlers().receipts({ headers, ...more });
    return { status: statusCode, code: JSON.parse(String(body)).code };
  };

  test("is no receipt's without an id", async () => {
    const requestContext = { http: { method: "GET" } };
    const refused = { status: 400, code: "MESSAGE_INVALID" };
    expect(await asked({ requestContext })).toEqual(refused);
    expect(await asked({ requestContext, pathParameters: null, queryStringParameters: null })).toEqual(
      refused,
    );
    expect(await asked({ requestContext, pathParameters: { other: "a" } })).toEqual(refused);
  });

  test("has its method in its route, where there is none beside", async () => {
    const pathParameters = { id: "some" };
    const notFound = { status: 404, code: "RECEIPT_NOT_FOUND" };
    expect(await asked({ routeKey: "GET /v1/messages/{id}", pathParameters })).toEqual(notFound);
    expect(await asked({ requestContext: { routeKey: "GET /v1/messages/{id}" }, pathParameters })).toEqual(
      notFound,
    );
    expect(await asked({ requestContext: { http: { method: "get" } }, pathParameters })).toEqual(notFound);
  });

  test.each(["POST", "PUT", "HEAD", "", "constructor"])("cancels nothing by %j", async (method) => {
    const event = { requestContext: { http: { method } }, pathParameters: { id: "some" } };
    expect(await asked(event)).toEqual({ status: 404, code: "ROUTE_NOT_FOUND" });
  });
});

test("no event makes a function throw, and none is answered with a fault", async () => {
  const { ingest, receipts } = handlers();
  const authorization = `Bearer ${await tokenFor("producer", {}, DEV_SECRET)}`;
  const some = fc.oneof(fc.constant(undefined), fc.constant(null), fc.jsonValue(), fc.constant(GOOD));
  const headers = fc.oneof(
    some,
    fc.record(
      {
        authorization: fc.oneof(some, fc.constant(authorization)),
        "Content-Type": fc.oneof(some, fc.constant("application/json")),
      },
      { requiredKeys: [] },
    ),
    fc.constant({ Authorization: authorization, "content-type": "application/json" }),
  );
  const events = fc.record(
    {
      headers,
      body: some,
      isBase64Encoded: some,
      requestContext: fc.oneof(some, fc.record({ http: fc.oneof(some, fc.record({ method: some })) })),
      pathParameters: fc.oneof(some, fc.record({ id: some })),
      queryStringParameters: fc.oneof(some, fc.record({ producer: some })),
      routeKey: some,
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(events, async (event) => {
      for (const handler of [ingest, receipts]) {
        const { statusCode = 0, body } = await handler(event);
        expect(statusCode === 202 || (statusCode >= 400 && statusCode < 500)).toBe(true);
        expect(() => JSON.parse(String(body))).not.toThrow();
      }
    }),
    { numRuns: 300 },
  );
});
