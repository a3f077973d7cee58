import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { FRAME_BYTES } from "../../shared/protocol/limits.ts";
import type { Connection } from "../gateway/connection.ts";
import type { Quota } from "../gateway/quota.ts";
import type { Limits } from "../limits.ts";
import type { CallbackCall, Fault } from "../testing/fault.ts";
import type { Observer } from "../testing/observer.ts";

export interface CallbackApiDeps {
  readonly connections: ReadonlyMap<string, Connection>;
  readonly observer: Pick<Observer, "record" | "sendStarted" | "metered">;
  readonly limits: Pick<Limits, "sendDelay">;
  readonly quota: Quota;
  /** The fault that a call meets, if any. */
  readonly fault?: (call: CallbackCall) => Fault | undefined;
}

/** The @connections endpoint: sends to a socket, describes it, closes it. Signatures are not checked. */
export function callbackApi({
  connections,
  observer,
  limits,
  quota,
  fault,
}: CallbackApiDeps): RequestListener {
  const open = (id: string): Connection | undefined => {
    const connection = connections.get(id);
    return connection?.isOpen() ? connection : undefined;
  };

  /** Why a call fails before its connection is looked for. */
  const refused = (call: CallbackCall): Fault | undefined => {
    const met = fault?.(call);
    if (met !== undefined) return met;
    if (!quota.take()) return 429;
    return ID.test(call.connectionId) ? undefined : 400;
  };

  const post = (id: string, request: IncomingMessage, response: ServerResponse) => {
    observer.sendStarted();
    const chunks: Buffer[] = [];
    let size = 0;
    let status = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= FRAME_BYTES) chunks.push(chunk);
    });
    const finish = () => {
      const sent = send(id, size > FRAME_BYTES ? undefined : Buffer.concat(chunks));
      if (sent === "hang") return;
      status = sent;
      answer(response, status);
    };
    request.on("end", limits.sendDelay > 0 ? () => setTimeout(finish, limits.sendDelay) : finish);
    // Also if the caller hangs up before the end: its status is then 0.
    response.on("close", () => observer.record({ kind: "sent", connectionId: id, status }));
  };

  /** `frame` is undefined if it is too large. */
  const send = (id: string, frame: Buffer | undefined): Fault => {
    const failed = refused({ method: "POST", connectionId: id });
    if (failed !== undefined) return failed;
    if (frame === undefined) return 413;
    const connection = open(id);
    if (connection === undefined) return 410;
    if (connection.isFull()) return 429;
    connection.send(frame);
    observer.metered(id, frame.length);
    return 200;
  };

  const describe = ({ peer, lastActiveAt }: Connection, response: ServerResponse) => {
    const body = JSON.stringify({
      connectedAt: new Date(peer.connectedAt).toISOString(),
      identity: { sourceIp: peer.sourceIp, userAgent: peer.userAgent },
      lastActiveAt: new Date(lastActiveAt()).toISOString(),
    });
    response.writeHead(200, JSON_TYPE).end(body);
  };

  return (request, response) => {
    const { method = "GET", url = "" } = request;
    const id = idIn(url);
    if (id === undefined) return answer(response, 404);
    if (method === "POST") return post(id, request, response);
    request.resume();
    if (method !== "GET" && method !== "DELETE") return answer(response, 404);
    const failed = refused({ method, connectionId: id });
    if (failed === "hang") return;
    const connection = open(id);
    if (failed !== undefined || connection === undefined) return answer(response, failed ?? 410);
    if (method === "GET") return describe(connection, response);
    connection.close(1000, "");
    answer(response, 204);
  };
}

const JSON_TYPE = { "content-type": "application/json" };
const EMPTY = { "content-length": "0" };

/** Error names as the API's model has them; the SDK makes its exceptions from the header. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "BadRequestException",
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

/** An id is base64 of either alphabet. Anything else cannot be decoded, and was never given to a connection. */
const ID = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** The SDK writes an id with its "=" escaped; some signers escape the "@" too. */
function idIn(url: string): string | undefined {
  const path = url.startsWith("/%40") ? `/@${url.slice(4)}` : url;
  if (!path.startsWith(PREFIX)) return undefined;
  const id = path.slice(PREFIX.length);
  try {
    return id.includes("%") ? decodeURIComponent(id) : id;
  } catch {
    // Kept as it is: it names no connection.
    return id;
  }
}
