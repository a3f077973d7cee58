import { createServer } from "node:http";
import { bytes } from "./bytes.ts";
import { listen, shut } from "./listen.ts";
import type { CallRequest, CallResponse } from "./service.ts";

/** Answers a request. */
export type Call = (request: CallRequest) => Promise<CallResponse>;

/** Stands between a caller and what answers it. */
export type Layer = (request: CallRequest, next: Call) => Promise<CallResponse>;

export interface Front {
  /** Without a slash at its end. */
  readonly url: string;
  stop(): Promise<void>;
}

/** An HTTP server on the loopback address whose requests go through the layers, first to last, and then to `end`. */
export async function startFront(layers: readonly Layer[], end: Call): Promise<Front> {
  const answer = layers.reduceRight<Call>((next, layer) => (request) => layer(request, next), end);
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    try {
      const { method = "", url: path = "", headers } = request;
      const {
        status,
        headers: sent,
        body,
      } = await answer({ method, path, headers, body: await bytes(request) });
      response.writeHead(status, { ...sent, "content-length": Buffer.byteLength(body) }).end(body);
    } catch (fault) {
      // A caller that hung up hears nothing, and one that waits must not wait for ever.
      if (!response.headersSent) response.writeHead(500).end(String(fault));
    }
  });
  return { url: await listen(server), stop: () => shut(server) };
}
