import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";

/** A request for a WebSocket that is refused. `type` is the media type of the body. */
export interface Refused {
  readonly kind: "refuse";
  readonly status: number;
  readonly body: string;
  readonly type: string;
}

/** A refusal with what the function said, or with the name of the status. */
export function refusal(status: number, result: APIGatewayProxyStructuredResultV2 = {}): Refused {
  return {
    kind: "refuse",
    status,
    body: result.body ?? JSON.stringify({ message: STATUS_CODES[status] ?? "Refused" }),
    type: headerIn(result, "content-type") ?? "application/json",
  };
}

/** A header of a function's answer, by its name in lower case. */
export const headerIn = (
  { headers = {} }: APIGatewayProxyStructuredResultV2,
  wanted: string,
): string | undefined => {
  const header = Object.entries(headers).find(([name]) => name.toLowerCase() === wanted);
  return header === undefined ? undefined : String(header[1]);
};

/** Answers a request for a socket with a status, and ends the connection: the client might leave its half open. */
export function refuseUpgrade(tcp: Duplex, status: number): void {
  const { body, type } = refusal(status);
  tcp.once("finish", () => tcp.destroy());
  tcp.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
      `content-type: ${type}`,
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
