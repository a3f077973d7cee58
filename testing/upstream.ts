import { Agent, type IncomingMessage, request as open } from "node:http";
import { bytes } from "./bytes.ts";
import type { Call } from "./front.ts";
import type { CallRequest } from "./service.ts";

export interface Upstream {
  readonly call: Call;
  stop(): void;
}

/** Sends requests on to a server as they are, over connections that are kept. */
export function upstream(url: string): Upstream {
  const agent = new Agent({ keepAlive: true });
  const send = (request: CallRequest) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { method, path, headers, body } = request;
      const { "content-length": _, "transfer-encoding": __, ...kept } = headers;
      const length = body.length > 0 || method === "POST" ? { "content-length": body.length } : {};
      const outgoing = open(new URL(path, url), { method, agent, headers: { ...kept, ...length } });
      // A server may close a kept connection as the next request leaves for it (nodejs.org, `request.reusedSocket`).
      const retried = (fault: NodeJS.ErrnoException) =>
        outgoing.reusedSocket && fault.code === "ECONNRESET" ? resolve(send(request)) : reject(fault);
      outgoing.on("response", resolve).on("error", retried).end(body);
    });
  return {
    async call(request) {
      const response = await send(request);
      const { "content-length": _, "transfer-encoding": __, connection: ___, ...headers } = response.headers;
      const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
      return {
        status: response.statusCode ?? 502,
        headers: Object.fromEntries(texts),
        body: await bytes(response),
      };
    },
    stop: () => agent.destroy(),
  };
}
