import { createRequire } from "node:module";
import { endWithParent } from "./serve.ts";

/** The part of uWebSockets.js that is used; it is not a dependency. */
interface Uws {
  App(): UwsApp;
}
interface UwsApp {
  post(path: string, handler: (response: UwsResponse) => void): UwsApp;
  ws(
    path: string,
    behavior: {
      idleTimeout: number;
      message(socket: UwsSocket, bytes: ArrayBuffer): void;
    },
  ): UwsApp;
  publish(topic: string, message: string): boolean;
  listen(host: string, port: number, listening: (token: unknown) => void): UwsApp;
}
interface UwsResponse {
  onData(take: (chunk: ArrayBuffer, isLast: boolean) => void): void;
  onAborted(aborted: () => void): void;
  writeStatus(status: string): UwsResponse;
  end(body: string): void;
}
interface UwsSocket {
  subscribe(topic: string): boolean;
  send(message: string): number;
}

const { App } = createRequire(import.meta.url)("@trufflesuite/uws-js-unofficial") as Uws;

/** The server's own topics, and its defaults. */
const app = App();
app.ws("/*", {
  idleTimeout: 120,
  message(socket, bytes) {
    for (const topic of JSON.parse(Buffer.from(bytes).toString()).topics) socket.subscribe(topic);
    socket.send("subscribed");
  },
});
app.post("/publish", (response) => {
  const chunks: Buffer[] = [];
  response.onAborted(() => {});
  response.onData((chunk, isLast) => {
    chunks.push(Buffer.from(new Uint8Array(chunk))); // A copy: the chunk is gone after this call.
    if (!isLast) return;
    const { topic, data } = JSON.parse(Buffer.concat(chunks).toString());
    app.publish(topic, JSON.stringify({ topic, data }));
    response.writeStatus("202 Accepted").end("{}");
  });
});
app.listen("127.0.0.1", Number(process.env.PORT), (token) => {
  if (!token) throw new Error(`port ${process.env.PORT} is taken`);
});
endWithParent();
