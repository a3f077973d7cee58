import type { APIGatewayEventWebsocketRequestContextV2 } from "aws-lambda";
import type { Socket } from "../../shared/pipeline/socket/socket.ts";
import type { LogFields } from "../../shared/ports.ts";
import { parse } from "../../shared/protocol/parse.ts";
import { ConnectionId } from "../../shared/protocol/tag.ts";

type Fields = Readonly<Record<string, string | undefined>>;

/** An event of a WebSocket API: the least of it, since emulators leave out or null what API Gateway sends. */
export interface SocketEvent {
  readonly requestContext?: Partial<
    APIGatewayEventWebsocketRequestContextV2 & {
      readonly identity: { readonly sourceIp?: string };
      readonly disconnectStatusCode: number;
    }
  >;
  readonly headers?: Fields | null;
  readonly queryStringParameters?: Fields | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

/** The connection that an event is about. */
export const connectionOf = ({ requestContext }: SocketEvent): ConnectionId | undefined => {
  const id = parse(ConnectionId, requestContext?.connectionId, "CONNECTION_UNKNOWN");
  return id.ok ? id.value : undefined;
};

/** What the log says of an event: it has no headers and no query, where tokens are. */
export const socketFields = ({ requestContext }: SocketEvent): LogFields => ({
  ...(requestContext?.requestId === undefined ? {} : { requestId: requestContext.requestId }),
  ...(requestContext?.connectionId === undefined ? {} : { connectionId: requestContext.connectionId }),
  ...(requestContext?.identity?.sourceIp === undefined ? {} : { address: requestContext.identity.sourceIp }),
});

/** The connection with its connect time, which every delete depends on. */
export function socketOf(event: SocketEvent): Socket | undefined {
  const connectionId = connectionOf(event);
  const connectedAt = event.requestContext?.connectedAt;
  return connectionId !== undefined && Number.isSafeInteger(connectedAt) && connectedAt !== undefined
    ? { connectionId, connectedAt }
    : undefined;
}

/** The value of a header, whatever case its name came in; empty if there is none. */
export const header = ({ headers }: SocketEvent, name: string): string =>
  textIn(Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1]);

/** A parameter of the query; empty if there is none. */
export const parameter = ({ queryStringParameters }: SocketEvent, name: string): string =>
  textIn(queryStringParameters?.[name]);

/** What the client sent. */
export const textOf = ({ body, isBase64Encoded }: SocketEvent): string =>
  isBase64Encoded ? Buffer.from(textIn(body), "base64").toString() : textIn(body);

/** An event is not checked against its type: what should be a text may be anything. */
const textIn = (value: unknown): string => (typeof value === "string" ? value : "");
