import type { Dialect } from "../dialect.ts";
import { plain } from "./plain.ts";

/** Engine.IO 4 over WebSocket alone, Socket.IO 5 in it: 0 open, 2 ping, 3 pong, 4 a packet (0 connect, 2 event, 3 ack). */
export const socketIo: Dialect = {
  socketUrl: ({ port }) => `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`,
  converse: ({ topics, say, subscribed, refused, messages }) => ({
    heard(bytes) {
      const start = bytes.toString("latin1", 0, 3);
      if (start.startsWith("42")) messages(bytes);
      else if (start === "2") say("3");
      else if (start.startsWith("0")) say("40");
      else if (start.startsWith("40")) say(`420${JSON.stringify(["join", topics])}`);
      else if (start === "430") subscribed();
      else refused(bytes.toString());
    },
  }),
  publisher: plain.publisher,
};
