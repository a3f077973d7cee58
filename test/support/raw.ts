import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";

/** Opens a TCP connection to a router. */
export async function dial(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends these chunks as they are, and reads until the server ends the connection. */
export async function exchange(url: string, ...chunks: readonly string[]): Promise<RawAnswer> {
  const socket = await dial(url);
  for (const chunk of chunks) await new Promise((sent) => socket.write(chunk, sent));
  const answer = await text(socket);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), text: answer };
}

/** A request without a body, as it goes over the wire. */
export const rawRequest = (line: string, headers: Readonly<Record<string, string | undefined>>): string =>
  [
    `${line} HTTP/1.1`,
    ...Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}`)),
    "",
    "",
  ].join("\r\n");

/** What makes a GET ask for a WebSocket: RFC 6455's own example. */
export const HANDSHAKE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};
