import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";

/** Answers a request for a socket with a status, and with what the function said where it did. */
export function refuseUpgrade(
  tcp: Duplex,
  status: number,
  { body, headers = {} }: APIGatewayProxyStructuredResultV2 = {},
): void {
  const text = body ?? JSON.stringify({ message: STATUS_CODES[status] ?? "Refused" });
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1];
  tcp.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
      `content-type: ${type ?? "application/json"}`,
      `content-length: ${Buffer.byteLength(text)}`,
      "connection: close",
      "",
      text,
    ].join("\r\n"),
  );
}
