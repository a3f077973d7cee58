import { BATCH_MESSAGES, BODY_BYTES } from "../protocol/limits.ts";
import { httpSchemas } from "./components.ts";
import { DISCONNECT_CONNECTION, DISCONNECT_USER } from "./disconnect.ts";
import { HISTORY } from "./history.ts";
import { refusals, TOKEN_CODES } from "./responses.ts";

/** The HTTP API as an OpenAPI 3.1 document. Routes that only the router of one machine has are not in it. */
export const openApi = () => ({
  openapi: "3.1.1",
  info: {
    title: "Tagwire HTTP API",
    version: "1",
    summary: "Posts messages, reads their receipts and cancels them, and disconnects users.",
    description: DESCRIPTION,
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [
    { url: "http://127.0.0.1:3000", description: "A router on one machine" },
    {
      url: "https://{api}.execute-api.{region}.amazonaws.com",
      description: "A router in an account",
      variables: { api: { default: "api" }, region: { default: "us-east-1" } },
    },
  ],
  security: [{ token: [] }],
  paths: {
    "/v1/messages": { post: POST },
    "/v1/messages/{id}": { parameters: RECEIPT_PARAMETERS, get: READ, delete: CANCEL },
    "/v1/history": HISTORY,
    "/v1/users/{user}/connections": DISCONNECT_USER,
    "/v1/connections/{id}": DISCONNECT_CONNECTION,
  },
  components: {
    securitySchemes: {
      token: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description:
          "A JWT with the claims of the schema `Claims`. What it grants stands in the claim `tagwire`.",
      },
    },
    schemas: httpSchemas(),
  },
});

const DESCRIPTION = `Bodies are JSON in UTF-8, at most ${BODY_BYTES} bytes. Fields that the router does not know are refused; a client ignores fields and codes that it does not know.

A web page can read \`Location\` and \`Retry-After\` of a response.`;

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object, examples: object) => ({ "application/json": { schema, examples } });

const EXAMPLE = {
  id: "order-1000042-shipped",
  target: { topic: "orders" },
  event: "order.shipped",
  data: { order: 1000042, parcels: 2 },
  ttlSeconds: 3600,
};

const POST = {
  operationId: "postMessages",
  summary: "Posts one message, or an array of messages.",
  description:
    "202 says that the message is stored durably. An array is answered with an array, in order: a bad item does not keep the others from being stored, and the status is 202 if at least one is; otherwise it is that of the first.",
  parameters: [
    {
      name: "traceparent",
      in: "header",
      required: false,
      description:
        "The trace that the request belongs to (W3C Trace Context). It is in the log and in the frames of the messages; a malformed one is ignored.",
      schema: { type: "string" },
    },
  ],
  requestBody: {
    required: true,
    content: json(
      {
        anyOf: [
          ref("PublishRequest"),
          { type: "array", items: ref("PublishRequest"), minItems: 1, maxItems: BATCH_MESSAGES },
        ],
      },
      {
        one: { value: EXAMPLE },
        several: { value: [EXAMPLE, { target: { everyone: true }, data: "hello" }] },
      },
    ),
  },
  responses: {
    202: {
      description: "The message is stored durably, or at least one of the array is.",
      headers: {
        Location: {
          description: "The address of the receipt, of a single message.",
          schema: { type: "string", pattern: "^/v1/messages/[A-Za-z0-9._:-]{1,128}$" },
        },
      },
      content: json(
        {
          anyOf: [
            ref("QueuedItem"),
            { type: "array", items: { anyOf: [ref("QueuedItem"), ref("RefusedItem")] }, minItems: 1 },
          ],
        },
        { one: { value: { id: EXAMPLE.id, state: "queued" } } },
      ),
    },
    ...refusals({
      codes: [
        "BODY_NOT_JSON",
        "MESSAGE_INVALID",
        "BATCH_INVALID",
        ...TOKEN_CODES,
        "TARGET_FORBIDDEN",
        "MESSAGE_TOO_LARGE",
        "BODY_TOO_LARGE",
        "CONTENT_TYPE_UNSUPPORTED",
        "LANE_FULL",
        "QUEUE_UNAVAILABLE",
      ],
      gateway: [413, 429, 500, 503],
      items: true,
    }),
  },
};

const RECEIPT_PARAMETERS = [
  { name: "id", in: "path", required: true, description: "The id of the message.", schema: ref("MessageId") },
  {
    name: "producer",
    in: "query",
    description:
      "The producer whose message it is. Only an `admin` token may name another than its own `sub`.",
    schema: ref("UserId"),
  },
];

const RECEIPT_RESPONSES = {
  200: {
    description: "The receipt.",
    content: json(ref("Receipt"), {
      partial: {
        value: {
          id: EXAMPLE.id,
          producer: "shop",
          state: "partial",
          time: "2026-01-31T12:00:00.000Z",
          counts: { sent: 12, gone: 1, failed: 1, pending: 0 },
          attempts: 2,
          reason: "413: PayloadTooLargeException",
          failed: ["Zx3kQcLPjoECJuQ="],
          updatedAt: "2026-01-31T12:00:04.210Z",
        },
      },
    }),
  },
  ...refusals({
    // A router on one machine that stops says QUEUE_UNAVAILABLE.
    codes: [
      "MESSAGE_INVALID",
      ...TOKEN_CODES,
      "RECEIPT_FORBIDDEN",
      "RECEIPT_NOT_FOUND",
      "RECEIPT_NOT_KEPT",
      "TABLE_UNAVAILABLE",
      "QUEUE_UNAVAILABLE",
    ],
    gateway: [429, 500, 503],
    items: false,
  }),
};

const READ = {
  operationId: "readReceipt",
  summary: "Says what became of a message.",
  description: "404 says that no run has met the message yet, or that there is none.",
  responses: RECEIPT_RESPONSES,
};

const CANCEL = {
  operationId: "cancelMessage",
  summary: "Cancels what has not been delivered yet, and answers with the receipt.",
  description: "A message that has ended stays as it is.",
  responses: RECEIPT_RESPONSES,
};
