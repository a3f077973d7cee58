import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { WebSocket } from "ws";
import type { Clock } from "../../shared/ports.ts";
import { problem } from "../../shared/protocol/errors.ts";
import type { Invocable } from "../backend.ts";
import type { InvocationResult } from "../invocation.ts";
import type { Observer } from "../testing/observer.ts";
import type { SocketFaults } from "../testing/spy.ts";
import type { Unkind } from "../unkind.ts";
import type { Caller, CallerOf } from "./caller.ts";
import { type Connection, type ConnectionDeps, connection } from "./connection.ts";
import { admit } from "./cors.ts";
import { serveFrames } from "./frames.ts";
import { type Decision, handshake } from "./handshake.ts";
import type { Origins } from "./origins.ts";
import type { Quota } from "./quota.ts";
import { headerIn, refusal, refuseUpgrade } from "./refusal.ts";
import { connectEvent, disconnectEvent, type Peer } from "./socket-event.ts";

export interface SocketApiDeps extends ConnectionDeps {
  readonly socket: Pick<Invocable<"socket">, "invoke">;
  /** Holds those that are open. */
  readonly connections: Map<string, Connection>;
  readonly observer: Observer;
  readonly clock: Pick<Clock, "now" | "monotonic" | "pause">;
  readonly unkind: Unkind;
  readonly quota: Quota;
  readonly origins: Origins;
  readonly callerOf: CallerOf;
  readonly stopping: () => boolean;
  readonly newId?: () => string;
}

export interface SocketApi extends SocketFaults {
  upgrade(request: IncomingMessage, tcp: Duplex, head: Buffer): void;
  /** Closes all with 1001 and without $disconnect: the tables go too. A client that does not answer is cut off. */
  close(): Promise<void>;
}

/** The WebSocket API in front of the socket function. */
export function socketApi(deps: SocketApiDeps): SocketApi {
  const { observer, clock, unkind, connections, newId = connectionId } = deps;
  const { invoke } = deps.socket;
  const closing = new AbortController();
  const closed = once(closing.signal, "abort");
  /** Whether the gateway still runs after `milliseconds`. */
  const outlasts = async (milliseconds: number): Promise<boolean> => {
    if (milliseconds > 0) await Promise.race([clock.pause(milliseconds), closed]);
    return !closing.signal.aborted;
  };

  const disconnect = async (peer: Peer, code: number, reason: string): Promise<void> => {
    if (!(await outlasts(unkind.disconnectDelay))) return;
    for (let times = 0; times < unkind.disconnects; times++) {
      await invoke(disconnectEvent(peer, { code, reason }, randomUUID(), clock.now()));
      observer.record({ kind: "disconnected", connectionId: peer.connectionId, code });
    }
  };

  const decide = async (request: IncomingMessage): Promise<Decision> => {
    const caller = deps.callerOf(request);
    const admitted = admit(deps.origins, request, caller);
    if (!admitted.ok) {
      const body = JSON.stringify(problem(admitted.refusal));
      return { kind: "refuse", status: 403, body, type: "application/problem+json" };
    }
    if (!deps.quota.take()) return refusal(429);
    const peer = peerOf(request, caller, newId(), clock.now());
    const answer = await invoke(connectEvent(peer, request, randomUUID(), peer.connectedAt));
    const status = statusOf(answer);
    const result = answer.kind === "returned" ? answer.value : {};
    if (status < 200 || status > 299) return refusal(status, result);
    if (!(await outlasts(unkind.connectDelay))) return { kind: "drop" };
    if (!isThere(request.socket) || deps.stopping()) {
      void disconnect(peer, 1006, "Connection closed abnormally");
      return { kind: "drop" };
    }
    const protocol = headerIn(result, "sec-websocket-protocol");
    const agreed = protocol === undefined ? {} : { protocol };
    return { kind: "open", opened: (socket) => open(peer, socket, request.socket), ...agreed };
  };

  const open = (peer: Peer, socket: WebSocket, tcp: Duplex) => {
    const { connectionId } = peer;
    const opened = connection(deps, peer, socket, tcp);
    connections.set(connectionId, opened);
    observer.record({ kind: "connected", connectionId });
    socket.on("close", (code, reason) => {
      if (!connections.delete(connectionId)) return;
      void disconnect(peer, opened.closedWith() ?? code, reason.toString());
    });
    serveFrames({ ...deps, invoke, ended: () => closing.signal.aborted }, opened);
  };

  const shake = handshake(decide);
  return {
    upgrade(request, tcp, head) {
      // A client that gives up while $connect runs must not take the process with it.
      tcp.on("error", () => tcp.destroy());
      const path = (request.url ?? "/").split("?", 1)[0];
      if (deps.stopping()) return refuseUpgrade(tcp, 503);
      if (path !== "/") return refuseUpgrade(tcp, 404);
      shake(request, tcp, head);
    },
    kill(id) {
      const killed = connections.get(id);
      connections.delete(id);
      killed?.socket.terminate();
    },
    halfOpen(id, milliseconds) {
      const lost = connections.get(id);
      const end = () => lost?.socket.terminate();
      lost?.loseClient();
      if (milliseconds === undefined) return end;
      const timer = setTimeout(end, milliseconds);
      lost?.socket.once("close", () => clearTimeout(timer));
      return end;
    },
    async close() {
      closing.abort();
      const open = [...connections.values()];
      connections.clear();
      await Promise.all(open.map(shut));
    },
  };
}

function shut({ socket, close }: Connection): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    close(1001, "Going away");
  });
}

/** Whether a socket can be opened: one that the client has ended is not destroyed yet, since this side is still open. */
const isThere = ({ readable, writable }: Duplex): boolean => readable && writable;

/** 16 characters that end in "=", as API Gateway's do. */
const connectionId = () => `${randomBytes(11).toString("base64url")}=`;

const peerOf = (
  { headers }: IncomingMessage,
  { address, host }: Caller,
  id: string,
  connectedAt: number,
): Peer => ({
  connectionId: id,
  connectedAt,
  sourceIp: address,
  userAgent: headers["user-agent"] ?? "",
  host: host ?? "localhost",
});

/** A function that fails is a bad gateway to the client, one that is throttled too many requests. */
function statusOf(answer: InvocationResult<APIGatewayProxyStructuredResultV2>): number {
  if (answer.kind === "throttled") return 429;
  return answer.kind === "returned" ? (answer.value?.statusCode ?? 502) : 502;
}
