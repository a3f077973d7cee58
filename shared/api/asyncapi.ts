import { type CLIENT_FRAMES, SUBPROTOCOL } from "../protocol/frame.ts";
import type { SERVER_FRAMES } from "../protocol/server-frame.ts";
import { frameName, frameSchemas, replyName } from "./components.ts";

/** The WebSocket as an AsyncAPI 3 document: what the router receives and sends. */
export const asyncApi = () => ({
  asyncapi: "3.0.0",
  info: {
    title: "Tagwire WebSocket API",
    version: "1",
    description: DESCRIPTION,
    license: { name: "MIT" },
  },
  defaultContentType: "application/json",
  servers: {
    local: {
      host: "127.0.0.1:3000",
      protocol: "ws",
      description: "A router on one machine",
      security: SECURITY,
    },
    account: {
      host: "{api}.execute-api.{region}.amazonaws.com",
      pathname: "/{stage}",
      protocol: "wss",
      description: "A router in an account",
      variables: { api: { default: "api" }, region: { default: "us-east-1" }, stage: { default: "live" } },
      security: SECURITY,
    },
  },
  channels: {
    socket: {
      address: "/",
      messages: Object.fromEntries(
        FRAMES.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]),
      ),
      bindings: { ws: { method: "GET", headers: SUBPROTOCOL_HEADER, bindingVersion: "0.1.0" } },
    },
  },
  operations: Object.fromEntries([
    ...Object.entries(REPLIES).map(([type, reply]) => [
      type,
      { action: "receive", channel: SOCKET, messages: [inSocket(frameName(type))], reply: repliesOf(reply) },
    ]),
    ["message", { action: "send", channel: SOCKET, messages: [inSocket(replyName("message"))] }],
  ]),
  components: {
    messages: Object.fromEntries(
      FRAMES.map(({ name, type, summary }) => [
        name,
        { name: type, summary, payload: { $ref: `#/components/schemas/${name}` } },
      ]),
    ),
    schemas: frameSchemas(),
    securitySchemes: {
      token: {
        type: "httpApiKey",
        in: "query",
        name: "token",
        description: `A JWT. Browsers rather offer it as a sub-protocol: \`${SUBPROTOCOL}, token.<jwt>\`.`,
      },
    },
  },
});

type ClientType = keyof typeof CLIENT_FRAMES;
type ServerType = keyof typeof SERVER_FRAMES;

/** The frames that answer a frame, by its type. */
const REPLIES: Readonly<Record<ClientType, readonly ServerType[]>> = {
  subscribe: ["subscribed", "error"],
  unsubscribe: ["unsubscribed", "error"],
  token: ["token", "error"],
  history: ["history", "error"],
  ping: ["pong", "error"],
};

const ASKS: Readonly<Record<ClientType, string>> = {
  subscribe: "Asks for the messages to some topics, and for those that were missed.",
  unsubscribe: "Asks for no more messages to some topics.",
  token: "Gives a newer token of the same user, so that the connection lives on.",
  history: "Asks for kept messages of one topic.",
  ping: "Asks whether the connection is known, for its id, and for the present positions of streams.",
};

const GIVES: Readonly<Record<ServerType, string>> = {
  message: "There is a message for the connection.",
  subscribed: "From now on messages to these topics arrive.",
  unsubscribed: "Messages to these topics do not arrive any more.",
  token: "From now on the connection lives by the new token.",
  history: "Kept messages of one topic.",
  pong: "Answers a ping.",
  error: "A frame was refused. After TOKEN_EXPIRED and CONNECTION_UNKNOWN the router closes the socket.",
};

const FRAMES = [
  ...Object.entries(ASKS).map(([type, summary]) => ({ type, name: frameName(type), summary })),
  ...Object.entries(GIVES).map(([type, summary]) => ({ type, name: replyName(type), summary })),
];

const SOCKET = { $ref: "#/channels/socket" };
const SECURITY = [{ $ref: "#/components/securitySchemes/token" }];

const inSocket = (name: string) => ({ $ref: `#/channels/socket/messages/${name}` });
const repliesOf = (types: readonly string[]) => ({
  channel: SOCKET,
  messages: types.map((type) => inSocket(replyName(type))),
});

const SUBPROTOCOL_HEADER = {
  type: "object",
  properties: {
    "Sec-WebSocket-Protocol": {
      type: "string",
      description: `\`${SUBPROTOCOL}\`, and the token unless it is in the query: \`${SUBPROTOCOL}, token.<jwt>\`. An offer without \`${SUBPROTOCOL}\` is refused.`,
    },
  },
};

const DESCRIPTION = `Each frame is one JSON object in a text message. The router refuses fields and types that it does not know; a client ignores fields, types and codes that it does not know.

A client sends no second frame about a topic before the first is answered. Frames of one socket run side by side, and replies come in the order in which they are ready.

If a topic keeps a stream, its messages have numbers that follow one another. A client that was away asks by the number of the last message that it handed on.`;
