import type { Dialect } from "../dialect.ts";
import { httpPublisher } from "./http.ts";

/** What the servers in `bench/peers/server/` understand. */
export const plain: Dialect = {
  socketUrl: ({ port }) => `ws://127.0.0.1:${port}`,
  converse: ({ topics, say, subscribed, messages }) => ({
    opened: () => say(JSON.stringify({ topics })),
    heard: (bytes) => (bytes.toString("latin1", 0, 10) === "subscribed" ? subscribed() : messages(bytes)),
  }),
  publisher: async ({ port }, connections) =>
    httpPublisher(
      { origin: `http://127.0.0.1:${port}`, path: "/publish", body: (topic, data) => ({ topic, data }) },
      connections,
    ),
};
