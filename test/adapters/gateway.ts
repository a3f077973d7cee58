import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";
import { listen, shut } from "../../local/listen.ts";

export interface Seen {
  readonly method: string;
  /** As they were sent. */
  readonly rawHeaders: readonly string[];
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Gateway {
  /** With the stage. */
  readonly endpoint: string;
  readonly seen: Seen[];
  /** HTTP connections open now, and the most there were at once. */
  readonly connections: { now: number; most: number };
}

export type Respond = (response: ServerResponse, socket: Socket, request: Seen) => void;

/** A callback endpoint that answers as the test says: with a status, or by its own means. */
export async function gateway(answer: number | Respond = 200): Promise<Gateway> {
  const seen: Seen[] = [];
  const connections = { now: 0, most: 0 };
  const listener: RequestListener = async (request, response) => {
    const { method = "", url: path = "", headers, rawHeaders } = request;
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const one = { method, path, headers, rawHeaders, body };
    seen.push(one);
    if (typeof answer === "number") refuse(response, answer);
    else answer(response, request.socket, one);
  };
  const server = createServer(listener);
  server.on("connection", (socket) => {
    connections.most = Math.max(connections.most, ++connections.now);
    socket.on("close", () => connections.now--);
  });
  const port = await listen(server);
  onTestFinished(() => shut(server));
  return { endpoint: `http://127.0.0.1:${port}/prod`, seen, connections };
}

/** Answers as API Gateway does: empty on success, its error's name and message else. */
export function refuse(
  response: ServerResponse,
  status: number,
  { type = "SomeException", message = "no", headers = {} as Record<string, string> } = {},
): void {
  if (status < 300) response.writeHead(status, { "content-length": "0", ...headers }).end();
  else
    response
      .writeHead(status, { "content-type": "application/json", "x-amzn-errortype": type, ...headers })
      .end(JSON.stringify({ message }));
}
