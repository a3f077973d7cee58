import { CLIENT_FRAMES, SUBPROTOCOL } from "../protocol/frame.ts";
import { SERVER_FRAMES } from "../protocol/server-frame.ts";
import { frameName, frameSchemas } from "./components.ts";

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
        TYPES.map((type) => [frameName(type), { $ref: `#/components/messages/${frameName(type)}` }]),
      ),
      bindings: { ws: { method: "GET", headers: SUBPROTOCOL_HEADER, bindingVersion: "0.1.0" } },
    },
  },
  operations: Object.fromEntries([
    ...Object.entries(REPLIES).map(([type, reply]) => [
      type,
      { action: "receive", channel: SOCKET, messages: [inSocket(type)], reply: repliesOf(reply) },
    ]),
    ["message", { action: "send", channel: SOCKET, messages: [inSocket("message")] }],
  ]),
  components: {
    messages: Object.fromEntries(
      TYPES.map((type) => [
        frameName(type),
        {
          name: type,
          summary: SUMMARIES[type],
          payload: { $ref: `#/components/schemas/${frameName(type)}` },
        },
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

const TYPES = [...Object.keys(CLIENT_FRAMES), ...Object.keys(SERVER_FRAMES)] as (ClientType | ServerType)[];

/** The frames that answer a frame, by its type. */
const REPLIES: Readonly<Record<ClientType, readonly ServerType[]>> = {
  subscribe: ["subscribed", "error"],
  unsubscribe: ["unsubscribed", "error"],
  ping: ["pong", "error"],
};

const SUMMARIES: Readonly<Record<ClientType | ServerType, string>> = {
  subscribe: "Asks for the messages to some topics.",
  unsubscribe: "Asks for no more messages to some topics.",
  ping: "Asks whether the connection is known, and for its id.",
  message: "There is a message for the connection.",
  subscribed: "From now on messages to these topics arrive.",
  unsubscribed: "Messages to these topics do not arrive any more.",
  pong: "Answers a ping.",
  error: "A frame was refused. The socket stays open.",
};

const SOCKET = { $ref: "#/channels/socket" };
const SECURITY = [{ $ref: "#/components/securitySchemes/token" }];

const inSocket = (type: string) => ({ $ref: `#/channels/socket/messages/${frameName(type)}` });
const repliesOf = (types: readonly string[]) => ({ channel: SOCKET, messages: types.map(inSocket) });

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

A client sends no second frame about a topic before the first is answered. Frames of one socket run side by side, and replies come in the order in which they are ready.`;
