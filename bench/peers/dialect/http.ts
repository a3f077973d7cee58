import { Pool } from "undici";
import type { Data, Publisher } from "../dialect.ts";

interface HttpApi {
  readonly origin: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  body(topic: string, data: Data): object;
  /** Whether a response of 2xx says in its body that the message was refused. @default never */
  isRefusal?(body: string): boolean;
}

/** Publishes by an HTTP POST per message over kept connections, one message at a time on each. */
export function httpPublisher(
  { origin, path, headers, body, isRefusal }: HttpApi,
  connections: number,
): Publisher {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const all = { "content-type": "application/json", ...headers };
  return {
    async publish(topic, data) {
      const response = await pool.request({
        method: "POST",
        path,
        headers: all,
        body: JSON.stringify(body(topic, data)),
      });
      const text = await response.body.text();
      if (response.statusCode >= 300 || isRefusal?.(text)) {
        throw new Error(`a POST was answered with ${response.statusCode}: ${text.slice(0, 200)}`);
      }
    },
    close: () => pool.close(),
  };
}
