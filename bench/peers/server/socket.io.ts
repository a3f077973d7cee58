import { Server } from "socket.io";
import { servePublish } from "./serve.ts";

/** Socket.IO as its documentation has it: a room for each topic, its adapter in memory. */
const io: Server = new Server(
  servePublish((topic, data) => io.to(topic).emit("message", data)),
  { transports: ["websocket"], serveClient: false },
);
io.on("connection", (socket) => {
  socket.on("join", async (topics: string[], done: () => void) => {
    await socket.join(topics);
    done();
  });
});
