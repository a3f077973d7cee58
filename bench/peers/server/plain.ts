import { type WebSocket, WebSocketServer } from "ws";
import { servePublish } from "./serve.ts";

/*
 * The control: node:http and ws, and nothing else. Nothing is checked, kept, bounded or recovered.
 */
const topics = new Map<string, Set<WebSocket>>();
const server = servePublish((topic, data) => {
  const frame = JSON.stringify({ topic, data });
  for (const socket of topics.get(topic) ?? []) socket.send(frame);
});
new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
  socket.on("message", (bytes) => {
    for (const topic of JSON.parse(bytes.toString()).topics) {
      topics.set(topic, (topics.get(topic) ?? new Set()).add(socket));
      socket.on("close", () => topics.get(topic)?.delete(socket));
    }
    socket.send("subscribed");
  });
});
