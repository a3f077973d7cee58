import { createServer } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { listen } from "../../local/listen.ts";
import { serveParent } from "../child.ts";
import type { RouterReady } from "./router.ts";

/*
 * What a single process does at best: POST /v1/messages goes straight to the sockets of its topic. Nothing is stored,
 * checked, retried or bounded, and a restart loses it all.
 */
const topics = new Map<string, Set<WebSocket>>();
const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const message = JSON.parse(body);
  const frame = JSON.stringify({ type: "message", ...message, time: new Date().toISOString() });
  for (const socket of topics.get(message.target.topic) ?? []) socket.send(frame);
  response.writeHead(202, { "content-type": "application/json" }).end(JSON.stringify({ id: message.id }));
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket) => {
  socket.on("message", (bytes) => {
    const frame = JSON.parse(bytes.toString());
    for (const topic of frame.topics) topics.set(topic, (topics.get(topic) ?? new Set()).add(socket));
    socket.send(JSON.stringify({ type: "subscribed", topics: frame.topics, ref: frame.ref }));
  });
});

const port = await listen(server);
serveParent<RouterReady, never, never>(
  { url: `http://127.0.0.1:${port}`, socketUrl: `ws://127.0.0.1:${port}` },
  (none) => none,
);
