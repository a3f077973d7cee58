import { SUBPROTOCOL } from "../../../shared/protocol/frame.ts";
import { signToken } from "../../../testing/sign-token.ts";
import type { Dialect } from "../dialect.ts";
import { httpPublisher } from "./http.ts";

const token = () => signToken({ sub: "bench", publish: ["topic:*"], subscribe: ["*"] });

/** The token is verified at the handshake and with each POST. */
export const tagwire: Dialect = {
  socketUrl: ({ port }) => `ws://127.0.0.1:${port}`,
  subprotocols: async () => [SUBPROTOCOL, `token.${await token()}`],
  converse: ({ topics, say, subscribed, refused, messages }) => ({
    opened: () => say(JSON.stringify({ type: "subscribe", topics, ref: 1 })),
    heard(bytes) {
      const start = bytes.toString("latin1", 0, 24);
      if (start.startsWith('{"type":"message"')) messages(bytes);
      else if (start.startsWith('{"type":"subscribed"')) subscribed();
      else if (start.startsWith('{"type":"error"')) refused(bytes.toString());
    },
  }),
  publisher: async ({ port }, connections) =>
    httpPublisher(
      {
        origin: `http://127.0.0.1:${port}`,
        path: "/v1/messages",
        headers: { authorization: `Bearer ${await token()}` },
        body: (topic, data) => ({ target: { topic }, event: "bench", data }),
      },
      connections,
    ),
};
