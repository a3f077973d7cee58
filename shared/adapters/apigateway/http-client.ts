import http, { type IncomingMessage } from "node:http";
import https from "node:https";

export interface HttpRequest {
  readonly method: "DELETE" | "GET" | "POST";
  /** As it is sent: percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** The outcome of a request, without the body of a success. */
export interface HttpOutcome {
  readonly status: number;
  /** The x-amzn-errortype header. */
  readonly errorType?: string;
  /** The date header, unless the answer came from a cache. */
  readonly date?: string;
  /** What the start of the body says if the request failed. */
  readonly detail: string;
}

export interface HttpClient {
  /**
   * Resolves as soon as the outcome is known. A success is known by its status: the rest of it can neither be waited
   * for in vain nor turn a frame that was sent into one that is sent again. Rejects if no outcome comes in time; a
   * request that was not written by then is never written.
   */
  request(request: HttpRequest): Promise<HttpOutcome>;
  /** Closes all connections. Requests under way fail. */
  destroy(): void;
}

export interface HttpClientOptions {
  readonly origin: string;
  /** Milliseconds from the call to the end of the answer. */
  readonly timeout: number;
  /** HTTP connections at most. */
  readonly connections: number;
  /**
   * Milliseconds an unused connection is kept at most, whatever the server offers.
   * @default 30_000
   */
  readonly keepAlive?: number;
}

/** HTTP/1.1 over a bounded number of connections that are kept open. */
export function httpClient({
  origin,
  timeout,
  connections,
  keepAlive = 30_000,
}: HttpClientOptions): HttpClient {
  const { protocol, hostname, port } = new URL(origin);
  const { Agent, request: open } = protocol === "https:" ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: connections, timeout: keepAlive });

  const request = ({ body, ...options }: HttpRequest) =>
    new Promise<HttpOutcome>((resolve, reject) => {
      const sent = open({ ...options, agent, hostname, port }, (response) => {
        // Once its status is known, an answer that stops half-way is no fault.
        sent.off("error", reject).on("error", () => {});
        onResponse(response, resolve);
      });
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeout} ms`)), timeout);
      sent.once("close", () => clearTimeout(timer));
      sent.once("error", reject);
      sent.end(body);
    });
  return { request, destroy: () => agent.destroy() };
}

function onResponse(response: IncomingMessage, resolve: (outcome: HttpOutcome) => void): void {
  const { statusCode: status = 0, headers } = response;
  response.on("error", () => {});
  if (status < 300) {
    response.resume();
    resolve({ status, detail: "" });
    return;
  }
  const { age, date, "x-amzn-errortype": errorType } = headers;
  const failure = {
    status,
    ...(typeof errorType === "string" ? { errorType } : {}),
    ...(date !== undefined && age === undefined ? { date } : {}),
  };
  // The gateway's errors are short: the first piece says it all.
  response.on("data", (chunk: Buffer) => resolve({ ...failure, detail: messageIn(chunk.toString()) }));
  response.once("close", () => resolve({ ...failure, detail: "" }));
}

/** `{"message": "…"}`, as the gateway words its errors. */
function messageIn(body: string): string {
  return /"message"\s*:\s*"([^"]*)"/i.exec(body)?.[1] ?? "";
}
