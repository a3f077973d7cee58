import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

/** One request as it came in. */
export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An HTTP server that records what it is asked and answers as told; closed when the test is over. */
export async function httpPeer(answer: (request: Recorded) => Reply | Promise<Reply>) {
  const requests: Recorded[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    const { method = "", url = "", headers } = request;
    const recorded = { method, path: url, headers, body: body === "" ? undefined : JSON.parse(body) };
    requests.push(recorded);
    const reply = await answer(recorded);
    response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
    response.end(reply.body === undefined ? "" : JSON.stringify(reply.body));
  };
  const server = createServer((request, response) => void respond(request, response));
  const port = await listening(server);
  return { url: `http://127.0.0.1:${port}`, requests };
}

/** A WebSocket server of the sub-protocol; `refuse` answers upgrades with that status instead. */
export async function socketPeer({ refuse }: { refuse?: number } = {}) {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "tagwire.v1" });
  const inbox = queue<{ socket: WebSocket; frame: Record<string, unknown> }>();
  const opened = queue<{ socket: WebSocket; protocols: string }>();
  const closed = queue<number>();
  server.on("upgrade", (request, stream, head) => {
    if (refuse) {
      stream.end(`HTTP/1.1 ${refuse} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      opened.put({ socket, protocols: request.headers["sec-websocket-protocol"] ?? "" });
      socket.on("message", (bytes) => inbox.put({ socket, frame: JSON.parse(String(bytes)) }));
      socket.on("close", (code) => closed.put(code));
    });
  });
  const port = await listening(server);
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
  });
  return {
    url: `http://127.0.0.1:${port}`,
    opened: opened.next,
    next: inbox.next,
    closed: closed.next,
  };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Keeps what came before anyone asked, so that a test cannot miss it. */
function queue<T>() {
  const items: T[] = [];
  const waiting: ((item: T) => void)[] = [];
  return {
    put(item: T) {
      const taker = waiting.shift();
      if (taker) taker(item);
      else items.push(item);
    },
    next: (): Promise<T> => {
      const item = items.shift();
      return item === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(item);
    },
  };
}
