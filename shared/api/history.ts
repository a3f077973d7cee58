import { LAST_MESSAGES } from "../protocol/limits.ts";
import { refusals, TOKEN_CODES } from "./responses.ts";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const parameter = (name: string, schema: object, description: string) => ({
  name,
  in: "query",
  description,
  schema,
});

const EXAMPLE = {
  topic: "orders/42",
  messages: [
    {
      type: "message",
      id: "order-1000042-shipped",
      topic: "orders/42",
      seq: 1767225600000018,
      event: "order.shipped",
      data: { order: 1000042, parcels: 2 },
      time: "2026-01-31T12:00:00.000Z",
    },
  ],
  position: 1767225600000018,
  more: false,
  gap: false,
};

export const HISTORY = {
  parameters: [
    parameter("topic", ref("Topic"), "A topic that the token may subscribe to. Give either this or `user`."),
    parameter("user", { const: "me" }, "The stream of the user of the token."),
    parameter(
      "since",
      { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      "The position after which the messages are asked for. Give either this or `last`.",
    ),
    parameter(
      "last",
      { type: "integer", minimum: 1, maximum: LAST_MESSAGES },
      "How many of the last messages to answer with.",
    ),
  ],
  get: {
    operationId: "readHistory",
    summary: "Reads the kept messages of a topic or of the own user.",
    description:
      "At most 120 KB of messages. With `more`, ask again from `position`. A topic that keeps no stream has no messages and no `position`.",
    responses: {
      200: {
        description: "The messages, or none.",
        content: {
          "application/json": { schema: ref("History"), examples: { shipped: { value: EXAMPLE } } },
        },
      },
      ...refusals({
        // A router on one machine that stops says QUEUE_UNAVAILABLE.
        codes: [
          "REQUEST_INVALID",
          ...TOKEN_CODES,
          "TOPIC_FORBIDDEN",
          "TABLE_UNAVAILABLE",
          "QUEUE_UNAVAILABLE",
        ],
        gateway: [429, 500, 503],
        items: false,
      }),
    },
  },
};
