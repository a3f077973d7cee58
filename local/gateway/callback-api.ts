import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { FRAME_BYTES } from "../../shared/domain/limits.ts";
import type { Limits } from "../limits.ts";
import type { Observer } from "../observer.ts";
import type { Connection } from "./socket-api.ts";

export interface CallbackApiDeps {
  readonly connections: ReadonlyMap<string, Connection>;
  readonly observer: Pick<Observer, "record" | "postStarted" | "metered">;
  readonly limits: Pick<Limits, "bufferBytes" | "postDelay">;
  /** Answers the status that the next post to a connection must fail with, if any. */
  readonly fault?: (connectionId: string) => number | undefined;
}

/** The @connections endpoint: posts to a socket, describes it, closes it. Signatures are not checked. */
export function callbackApi({ connections, observer, limits, fault }: CallbackApiDeps): RequestListener {
  const post = (id: string, request: IncomingMessage, response: ServerResponse) => {
    observer.postStarted();
    const chunks: Buffer[] = [];
    let size = 0;
    let status = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= FRAME_BYTES) chunks.push(chunk);
    });
    const finish = () => {
      const [only] = chunks;
      status =
        size > FRAME_BYTES ? 413 : send(id, chunks.length === 1 && only ? only : Buffer.concat(chunks));
      answer(response, status);
    };
    request.on("end", limits.postDelay > 0 ? () => setTimeout(finish, limits.postDelay) : finish);
    // Also where the caller hangs up before the end: its status is then 0.
    response.on("close", () => observer.record({ kind: "posted", connectionId: id, status }));
  };

  const send = (id: string, frame: Buffer): number => {
    const failed = fault?.(id);
    if (failed !== undefined) return failed;
    const connection = connections.get(id);
    if (connection === undefined || connection.socket.readyState !== connection.socket.OPEN) return 410;
    if (connection.socket.bufferedAmount > limits.bufferBytes) return 429;
    connection.socket.send(frame, { binary: false });
    connection.touch();
    observer.metered(id, frame.length);
    return 200;
  };

  const describe = (id: string, response: ServerResponse) => {
    const connection = connections.get(id);
    if (!connection) return answer(response, 410);
    const { connectedAt, sourceIp, userAgent } = connection.peer;
    const body = JSON.stringify({
      connectedAt: new Date(connectedAt).toISOString(),
      identity: { sourceIp, userAgent },
      lastActiveAt: new Date(connection.lastActiveAt).toISOString(),
    });
    response.writeHead(200, JSON_TYPE).end(body);
  };

  const close = (id: string, response: ServerResponse) => {
    const connection = connections.get(id);
    connection?.socket.close(1000);
    answer(response, connection ? 204 : 410);
  };

  return (request, response) => {
    const id = idIn(request.url ?? "");
    if (id === undefined) return answer(response, 404);
    if (request.method === "POST") return post(id, request, response);
    request.resume();
    if (request.method === "GET") return describe(id, response);
    if (request.method === "DELETE") return close(id, response);
    answer(response, 404);
  };
}

const JSON_TYPE = { "content-type": "application/json" };
const EMPTY = { "content-length": "0" };

/** Error names as the API's model has them; the SDK makes its exceptions from the header. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  403: "ForbiddenException",
  404: "NotFoundException",
  410: "GoneException",
  413: "PayloadTooLargeException",
  429: "LimitExceededException",
};

function answer(response: ServerResponse, status: number): void {
  if (status < 300) {
    response.writeHead(status, EMPTY).end();
    return;
  }
  const type = ERROR_TYPES[status] ?? "InternalServerErrorException";
  response
    .writeHead(status, { ...JSON_TYPE, "x-amzn-errortype": type })
    .end(JSON.stringify({ message: type }));
}

const PREFIX = "/@connections/";

/** The SDK writes an id with its "=" escaped; some signers escape the "@" too. */
function idIn(url: string): string | undefined {
  const path = url.startsWith("/%40") ? `/@${url.slice(4)}` : url;
  if (!path.startsWith(PREFIX)) return undefined;
  const id = path.slice(PREFIX.length);
  try {
    return id.includes("%") ? decodeURIComponent(id) : id;
  } catch {
    return undefined;
  }
}
