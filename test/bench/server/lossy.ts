import { type WebSocket, WebSocketServer } from "ws";
import { servePublish } from "../../../bench/peers/server/serve.ts";

/** Does to one message what the variable FAULT says: `drop` it for one socket, send it there `twice`, or `truncate` it. */
const fault = process.env.FAULT;
const sockets: WebSocket[] = [];
const server = servePublish((topic, data) => {
  const frame = JSON.stringify({ topic, data });
  const isIt = (data as { benchNumber: number }).benchNumber === 7;
  const [first, ...others] = sockets;
  for (const socket of others) socket.send(frame);
  if (isIt && fault === "drop") return;
  if (isIt && fault === "truncate") return first?.send(frame.slice(0, 60));
  first?.send(frame);
  if (isIt && fault === "twice") first?.send(frame);
});
new WebSocketServer({ server }).on("connection", (socket) => {
  socket.on("message", () => {
    sockets.push(socket);
    socket.send("subscribed");
  });
});
