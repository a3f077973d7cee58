import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { type WebSocket, WebSocketServer } from "ws";
import { FRAME_BYTES } from "../../shared/domain/limits.ts";
import type { SocketPolicy } from "../../shared/domain/policy.ts";
import type { Clock } from "../../shared/ports.ts";
import type { EventOf } from "../handlers.ts";
import { type Answer, type Lambda, within } from "../lambda.ts";
import type { Limits } from "../limits.ts";
import type { Observer } from "../observer.ts";
import { refuseUpgrade } from "./refusal.ts";
import { connectEvent, disconnectEvent, messageEvent, type Peer } from "./socket-event.ts";

export interface SocketApiDeps {
  readonly socket: Pick<Lambda<"socket">, "invoke">;
  readonly observer: Observer;
  readonly clock: Pick<Clock, "now">;
  readonly policy: Pick<SocketPolicy, "maxAge" | "idle">;
  readonly limits: Pick<Limits, "socketTimeout">;
  readonly stopping: () => boolean;
  readonly newId?: () => string;
}

/** An open WebSocket, from the end of $connect to its close. */
export interface Connection {
  readonly peer: Peer;
  readonly socket: WebSocket;
  /** Milliseconds since 1970. */
  lastActiveAt: number;
  /** Puts the idle cut off. */
  touch(): void;
}

export interface SocketApi {
  readonly connections: ReadonlyMap<string, Connection>;
  upgrade(request: IncomingMessage, tcp: Duplex, head: Buffer): void;
  /** Breaks a connection as a lost network would, and forgets it without $disconnect. */
  kill(connectionId: string): void;
  /** Closes all with 1001 and without $disconnect: the tables go too. A client that does not answer is cut off. */
  close(): Promise<void>;
}

/** Frames of one socket that may wait for their turn before it is read no further. */
const BACKLOG = 64;

/** The WebSocket API in front of the socket function. */
export function socketApi(deps: SocketApiDeps): SocketApi {
  const { observer, clock, policy, newId = connectionId } = deps;
  const invoke = (event: EventOf<"socket">) => within(deps.limits.socketTimeout, deps.socket.invoke(event));
  const connections = new Map<string, Connection>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES,
    // The function names the protocol, and the header is set below: so it is on AWS, whatever the client offered.
    handleProtocols: () => false,
  });
  const protocols = new WeakMap<IncomingMessage, string>();
  server.on("headers", (headers, request) => {
    const protocol = protocols.get(request);
    if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });

  const disconnect = async (peer: Peer, code: number, reason: string): Promise<void> => {
    await invoke(disconnectEvent(peer, { code, reason }, randomUUID(), clock.now()));
    observer.record({ kind: "disconnected", connectionId: peer.connectionId, code });
  };

  const connect = async (request: IncomingMessage, tcp: Duplex, head: Buffer): Promise<void> => {
    const peer = peerOf(request, newId(), clock.now());
    const answer = await invoke(connectEvent(peer, request, randomUUID(), peer.connectedAt));
    const status = statusOf(answer);
    const result = answer.kind === "returned" ? answer.value : {};
    if (status < 200 || status > 299) return refuseUpgrade(tcp, status, result);
    if (tcp.destroyed || deps.stopping()) {
      tcp.destroy();
      return disconnect(peer, 1006, "Connection closed abnormally");
    }
    const protocol = protocolIn(result);
    if (protocol !== undefined) protocols.set(request, protocol);
    server.handleUpgrade(request, tcp, head, (socket) => open(peer, socket));
  };

  const open = (peer: Peer, socket: WebSocket) => {
    const { connectionId } = peer;
    const away = () => socket.close(1001, "Going away");
    const idle = setTimeout(away, policy.idle * 1000);
    const age = setTimeout(away, policy.maxAge * 1000);
    const connection: Connection = {
      peer,
      socket,
      lastActiveAt: peer.connectedAt,
      touch: () => {
        connection.lastActiveAt = clock.now();
        idle.refresh();
      },
    };
    connections.set(connectionId, connection);
    observer.record({ kind: "connected", connectionId });
    // Faults of a socket (a frame over the limit, a broken network) end in its close.
    socket.on("error", () => {});
    socket.on("close", (code, reason) => {
      clearTimeout(idle);
      clearTimeout(age);
      if (connections.delete(connectionId)) void disconnect(peer, code, reason.toString());
    });
    serveFrames(connection);
  };

  /** One at a time and in the order in which they came. */
  const serveFrames = (connection: Connection) => {
    const { peer, socket } = connection;
    const waiting: string[] = [];
    let busy = false;
    const work = async () => {
      busy = true;
      for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) {
        if (socket.isPaused && waiting.length < BACKLOG / 2) socket.resume();
        const requestId = randomUUID();
        const event = messageEvent(peer, text, requestId, clock.now());
        const body = replyIn(await invoke(event), peer.connectionId, requestId);
        if (body === undefined || socket.readyState !== socket.OPEN) continue;
        observer.metered(peer.connectionId, Buffer.byteLength(body));
        connection.touch();
        socket.send(body);
      }
      busy = false;
    };
    socket.on("message", (data: Buffer, isBinary) => {
      connection.touch();
      if (isBinary) return socket.close(1003, "Binary messages are not supported");
      observer.metered(peer.connectionId, data.length);
      waiting.push(data.toString());
      if (waiting.length >= BACKLOG) socket.pause();
      if (!busy) void work();
    });
  };

  return {
    connections,
    upgrade(request, tcp, head) {
      // A client that gives up while $connect runs must not take the process with it.
      tcp.on("error", () => tcp.destroy());
      const path = (request.url ?? "/").split("?", 1)[0];
      if (deps.stopping()) return refuseUpgrade(tcp, 503);
      if (path !== "/") return refuseUpgrade(tcp, 404);
      connect(request, tcp, head).catch(() => tcp.destroy());
    },
    kill(id) {
      const connection = connections.get(id);
      if (!connection) return;
      connections.delete(id);
      connection.socket.terminate();
    },
    async close() {
      const open = [...connections.values()];
      connections.clear();
      await Promise.all(open.map(({ socket }) => closed(socket)));
    },
  };
}

/** How long a client may take to answer a close, in milliseconds. */
const CLOSE_WAIT = 1_000;

function closed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.terminate(), CLOSE_WAIT);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.close(1001, "Going away");
  });
}

/** 16 characters that end in "=", as API Gateway's do. */
const connectionId = () => `${randomBytes(11).toString("base64url")}=`;

const peerOf = ({ headers, socket }: IncomingMessage, id: string, connectedAt: number): Peer => ({
  connectionId: id,
  connectedAt,
  sourceIp: socket.remoteAddress ?? "",
  userAgent: headers["user-agent"] ?? "",
  host: headers.host ?? "localhost",
});

/** A function that fails is a bad gateway to the client, one that is throttled too many requests. */
function statusOf(answer: Answer<APIGatewayProxyStructuredResultV2>): number {
  if (answer.kind === "throttled") return 429;
  return answer.kind === "returned" ? (answer.value?.statusCode ?? 502) : 502;
}

const protocolIn = ({ headers = {} }: APIGatewayProxyStructuredResultV2): string | undefined => {
  const header = Object.entries(headers).find(([name]) => name.toLowerCase() === "sec-websocket-protocol");
  return header === undefined ? undefined : String(header[1]);
};

/** What goes back to the client: the function's body, or what API Gateway says of a function that failed. */
function replyIn(
  answer: Answer<APIGatewayProxyStructuredResultV2>,
  connectionId: string,
  requestId: string,
): string | undefined {
  if (answer.kind === "returned") return answer.value?.body || undefined;
  const message = answer.kind === "throttled" ? "Too Many Requests" : "Internal server error";
  return JSON.stringify({ message, connectionId, requestId });
}
