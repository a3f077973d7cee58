import type { IncomingMessage } from "node:http";
import type { APIGatewayProxyWebsocketEventV2 } from "aws-lambda";
import { requestTime } from "./http-event.ts";

/** What the events of one connection share. `connectedAt` is in milliseconds. */
export interface Peer {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly host: string;
}

type Kind = { eventType: "CONNECT" | "MESSAGE" | "DISCONNECT"; routeKey: string };

/** A request to open a socket. Header names keep the case in which they came. */
export function connectEvent(peer: Peer, request: IncomingMessage, requestId: string, now: number) {
  const headers = pairs(request.rawHeaders);
  const at = (request.url ?? "/").indexOf("?");
  const query = at < 0 ? [] : [...new URLSearchParams((request.url ?? "").slice(at + 1))];
  return {
    ...event(peer, { eventType: "CONNECT", routeKey: "$connect" }, requestId, now),
    headers: Object.fromEntries(headers),
    multiValueHeaders: lists(headers),
    ...(query.length === 0
      ? {}
      : { queryStringParameters: Object.fromEntries(query), multiValueQueryStringParameters: lists(query) }),
  };
}

export const messageEvent = (
  peer: Peer,
  body: string,
  requestId: string,
  now: number,
): APIGatewayProxyWebsocketEventV2 => ({
  ...event(peer, { eventType: "MESSAGE", routeKey: "$default" }, requestId, now),
  body,
});

export function disconnectEvent(
  peer: Peer,
  { code, reason }: { code: number; reason: string },
  requestId: string,
  now: number,
): APIGatewayProxyWebsocketEventV2 {
  const { requestContext, ...rest } = event(
    peer,
    { eventType: "DISCONNECT", routeKey: "$disconnect" },
    requestId,
    now,
  );
  const ending = { disconnectStatusCode: code, disconnectReason: reason };
  return { ...rest, requestContext: { ...requestContext, ...ending } };
}

function event(peer: Peer, kind: Kind, requestId: string, now: number): APIGatewayProxyWebsocketEventV2 {
  const { connectionId, connectedAt, sourceIp, userAgent, host } = peer;
  const identity = { sourceIp, userAgent };
  return {
    requestContext: {
      ...kind,
      messageId: requestId,
      extendedRequestId: requestId,
      requestTime: requestTime(now),
      messageDirection: "IN",
      stage: "local",
      connectedAt,
      requestTimeEpoch: now,
      requestId,
      domainName: host,
      connectionId,
      apiId: "local",
      ...{ identity },
    },
    isBase64Encoded: false,
  };
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, raw[i + 1] ?? ""]] : []));
}

function lists(entries: readonly [string, string][]): Record<string, string[]> {
  const all = new Map<string, string[]>();
  for (const [name, value] of entries) all.set(name, [...(all.get(name) ?? []), value]);
  return Object.fromEntries(all);
}
