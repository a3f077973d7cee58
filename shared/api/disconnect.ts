import { refusals, TOKEN_CODES } from "./responses.ts";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const BEFORE = {
  name: "before",
  in: "query",
  description: "Only connections that were opened before this time, so that a fresh login stays.",
  schema: { type: "string", format: "date-time" },
};

const responses = (example: object) => ({
  200: {
    description:
      "As many sockets were closed as `closed` says. If there may be more, the same request closes them.",
    content: {
      "application/json": { schema: ref("Disconnected"), examples: { closed: { value: example } } },
    },
  },
  ...refusals({
    // A router on one machine that stops says QUEUE_UNAVAILABLE.
    codes: [
      "REQUEST_INVALID",
      ...TOKEN_CODES,
      "DISCONNECT_FORBIDDEN",
      "TABLE_UNAVAILABLE",
      "GATEWAY_UNAVAILABLE",
      "QUEUE_UNAVAILABLE",
    ],
    gateway: [429, 500, 503],
    items: false,
  }),
});

export const DISCONNECT_USER = {
  parameters: [
    { name: "user", in: "path", required: true, description: "The user.", schema: ref("UserId") },
    BEFORE,
  ],
  delete: {
    operationId: "disconnectUser",
    summary: "Closes the connections of a user.",
    description:
      "Needs an `admin` token. At most 100 connections in one request. A token that is still good opens new ones.",
    responses: responses({ closed: 3, more: false }),
  },
};

export const DISCONNECT_CONNECTION = {
  parameters: [
    {
      name: "id",
      in: "path",
      required: true,
      description: "The id of the connection.",
      schema: ref("ConnectionId"),
    },
    BEFORE,
  ],
  delete: {
    operationId: "disconnectConnection",
    summary: "Closes one connection.",
    description: "Needs an `admin` token. One that is closed already is no error.",
    responses: responses({ closed: 1, more: false }),
  },
};
