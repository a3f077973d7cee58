import type { Dialect } from "../dialect.ts";
import { httpPublisher } from "./http.ts";

export const API_KEY = "bench-bench-bench-bench-bench-bench";

/** The JSON protocol: a frame holds one reply or more, a line each, and an empty one is a ping. */
export const centrifugo: Dialect = {
  socketUrl: ({ port }) => `ws://127.0.0.1:${port}/connection/websocket`,
  converse({ topics, say, subscribed, refused, messages }) {
    const open = new Set(topics.map((_, i) => i + 2));
    const line = (text: string) => {
      if (text === "{}") return say("{}");
      const { id, error } = JSON.parse(text) as { id?: number; error?: unknown };
      if (error !== undefined) return refused(text);
      if (id !== undefined && open.delete(id) && open.size === 0) subscribed();
    };
    return {
      opened() {
        say(JSON.stringify({ id: 1, connect: {} }));
        topics.forEach((channel, i) => {
          say(JSON.stringify({ id: i + 2, subscribe: { channel } }));
        });
      },
      heard(bytes) {
        if (bytes.toString("latin1", 0, 7) === '{"push"') messages(bytes);
        else bytes.toString().split("\n").filter(Boolean).forEach(line);
      },
    };
  },
  publisher: async ({ port }, connections) =>
    httpPublisher(
      {
        origin: `http://127.0.0.1:${port}`,
        path: "/api/publish",
        headers: { "x-api-key": API_KEY },
        body: (channel, data) => ({ channel, data }),
        isRefusal: (body) => body.startsWith('{"error"'),
      },
      connections,
    ),
};
