import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/** Whether a request wants to become a WebSocket. */
export const wantsWebSocket = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === "websocket";

/**
 * Serves a request as if it had asked for no upgrade, as a server does that does not know the protocol (RFC 9110
 * §7.8): Java's HTTP client asks for h2c. Node has stopped reading it as HTTP, so it goes in again from its beginning.
 */
export function ignoreUpgrade(server: Server, request: IncomingMessage, tcp: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = "", value = ""] = [rawHeaders[i], rawHeaders[i + 1]];
    const kept = /^connection$/i.test(name) ? connection(value) : value;
    if (!HOP.test(name) && kept !== "") lines.push(`${name}: ${kept}`);
  }
  tcp.unshift(head);
  tcp.unshift(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  server.emit("encrypted" in tcp ? "secureConnection" : "connection", tcp);
}

const HOP = /^(upgrade|http2-settings)$/i;

const connection = (value: string): string =>
  value
    .split(",")
    .map((option) => option.trim())
    .filter((option) => !HOP.test(option))
    .join(", ");
