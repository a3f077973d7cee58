import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { FRAMES, READS } from "../shared/connections/frame-budget.ts";
import { type EndSocketDeps, endSocket } from "../shared/pipeline/socket/end-socket.ts";
import { frameLimit } from "../shared/pipeline/socket/frame-limit.ts";
import {
  type AnswerDeps,
  answer,
  connect,
  disconnect,
  type SocketDeps,
} from "../shared/pipeline/socket/socket.ts";
import type { Connections, RunTelemetry, Sockets, Tokens } from "../shared/ports.ts";
import { type Result, refuse } from "../shared/protocol/errors.ts";
import { errorFrame, refOf, type ServerFrame, SUBPROTOCOL } from "../shared/protocol/frame.ts";
import type { Identity } from "../shared/protocol/grant.ts";
import { CONNECTION_SECONDS } from "../shared/protocol/limits.ts";
import type { HandlerPorts, RunContext, StreamPorts, SubscriptionPorts } from "./ports.ts";
import { guarded, problemReply } from "./runtime/http.ts";
import { readsOf } from "./runtime/reads.ts";
import {
  connectionOf,
  header,
  parameter,
  type SocketEvent,
  socketFields,
  socketOf,
  textOf,
} from "./runtime/socket-event.ts";

type RunDeps = SocketDeps & AnswerDeps & EndSocketDeps & { readonly telemetry: RunTelemetry };

/** Milliseconds of a run that are kept for the reply. */
const RESERVE = 2_000;

/** The part of a `$connect` after which it writes no more, and the rest is for taking back what it wrote. */
const WRITING = 0.5;

/** Milliseconds that one more try of a call needs. */
const TRY = 500;

export interface SocketPorts extends HandlerPorts, SubscriptionPorts, StreamPorts {
  readonly tokens: Tokens;
  readonly connections: Connections;
  readonly sockets: Sockets;
}

/** $connect, $disconnect and every frame. The kind of an event is its `eventType`: routes follow what a client sends. */
export function socketHandler(ports: SocketPorts) {
  const { tokens, connections, sockets, clock, random } = ports;
  const { advanced } = ports.settings;
  const deps = {
    ...{ connections, tokens, sockets, clock, random },
    policy: { maxAgeSeconds: CONNECTION_SECONDS, rowMarginSeconds: advanced.rowMarginSeconds },
    frameLimit: frameLimit(clock, FRAMES),
    readLimit: frameLimit(clock, READS),
    ...readsOf(ports),
  };

  /** What one run works with: what its tables leave unprocessed is tried again as long as it has time. */
  const runDeps = (context: RunContext, isConnect: boolean): RunDeps => {
    const left = context.getRemainingTimeInMillis();
    const [start, end] = [clock.monotonic(), clock.monotonic() + left];
    const deadline = isConnect ? start + WRITING * left : end - RESERVE;
    const subscriptions = ports.subscriptions(() => deadline - clock.monotonic());
    const hasTime = (milliseconds: number) => clock.monotonic() + milliseconds + TRY < end;
    return { ...deps, subscriptions, hasTime, telemetry: ports.telemetry() };
  };

  const verify = (token: string | undefined): Promise<Result<Identity>> =>
    token
      ? tokens.verify(token)
      : Promise.resolve(
          refuse(
            "TOKEN_MISSING",
            `connect with ?token=<jwt> or the sub-protocols ${SUBPROTOCOL}, token.<jwt>`,
          ),
        );

  const onConnect = async (event: SocketEvent, to: RunDeps): Promise<APIGatewayProxyStructuredResultV2> => {
    const socket = socketOf(event);
    if (!socket) return NO_CONNECTION;
    const offered = header(event, "sec-websocket-protocol")
      .split(",")
      .map((name) => name.trim());
    const carried = offered.find((name) => name.startsWith("token."))?.slice("token.".length);
    const isKnown = offered.includes(SUBPROTOCOL);
    if (!isKnown && offered.some((name) => name !== "")) return problemReply(UNKNOWN_SUBPROTOCOL.refusal);
    const identity = await verify(parameter(event, "token") || carried);
    if (!identity.ok) return problemReply(identity.refusal);
    const connected = await connect(to, socket, identity.value);
    if (!connected.ok) return problemReply(connected.refusal);
    to.telemetry.info?.("connection opened", { ...socketFields(event), user: identity.value.sub });
    return { statusCode: 200, ...(isKnown ? { headers: { "Sec-WebSocket-Protocol": SUBPROTOCOL } } : {}) };
  };

  return async (event: SocketEvent, context: RunContext): Promise<APIGatewayProxyStructuredResultV2> => {
    const type = event.requestContext?.eventType;
    const to = runDeps(context, type === "CONNECT");
    switch (type) {
      case "CONNECT":
        return guarded(
          { telemetry: to.telemetry, fields: socketFields(event) },
          counted(to.telemetry, () => onConnect(event, to)),
        );
      case "DISCONNECT":
        return guarded({ telemetry: to.telemetry, fields: socketFields(event) }, async () => {
          const socket = socketOf(event);
          if (socket) {
            const user = await disconnect(to, socket);
            const seconds = Math.round((clock.now() - socket.connectedAt) / 1_000);
            to.telemetry.info?.("connection closed", {
              ...{ ...socketFields(event), user, seconds },
              code: event.requestContext?.disconnectStatusCode,
            });
          }
          return { statusCode: 200 };
        });
      default:
        return onFrame(event, to);
    }
  };
}

/** Counts what becomes of a connect. A refusal is the client's, and a fault is not. */
function counted(
  telemetry: RunTelemetry,
  connecting: () => Promise<APIGatewayProxyStructuredResultV2>,
): typeof connecting {
  return async () => {
    try {
      const reply = await connecting();
      // The router's own refusals of a connect are 4xx.
      if (reply.statusCode !== 200) telemetry.count("ConnectsRefused");
      return reply;
    } catch (fault) {
      telemetry.count("ConnectsFailed");
      throw fault;
    }
  };
}

/** A frame is always answered with a frame, where a fault was in the way too. */
function onFrame(event: SocketEvent, to: RunDeps): Promise<APIGatewayProxyStructuredResultV2> {
  const connectionId = connectionOf(event);
  const text = textOf(event);
  return guarded(
    { telemetry: to.telemetry, fields: socketFields(event) },
    async () =>
      connectionId === undefined
        ? NO_CONNECTION
        : frameReply(await endSocket(to, connectionId, await answer(to, connectionId, text))),
    (refusal) => frameReply(errorFrame(refusal, refOf(text))),
  );
}

const frameReply = (frame: ServerFrame | undefined) => ({
  statusCode: 200,
  ...(frame ? { body: JSON.stringify(frame) } : {}),
});

/** A client that offers sub-protocols fails a handshake that accepts none of them (RFC 6455 §4.1). */
const UNKNOWN_SUBPROTOCOL = refuse(
  "SUBPROTOCOL_UNSUPPORTED",
  `offer the sub-protocol ${SUBPROTOCOL}, or none and the token in the query`,
);

/** Not an event of API Gateway: it names no connection. */
const NO_CONNECTION = problemReply({
  code: "CONNECTION_UNKNOWN",
  detail: "the event names no connection, or no time of its connect",
});
