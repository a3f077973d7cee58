import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { SQSClient } from "@aws-sdk/client-sqs";
import { listen, shut } from "../../../local/listen.ts";
import { LIST_SOURCES, sourceQueues } from "../../../testing/source-queues.ts";
import { clientConfig } from "./aws.ts";

export interface Front {
  readonly url: string;
  stop(): Promise<void>;
}

/** PUT a Fault here. */
export const FAULTS = "/_front/faults";

/** Requests whose path or body contains the text get the statuses, one each, and then pass again. */
export interface Fault {
  readonly contains: string;
  readonly statuses: readonly number[];
}

/**
 * Stands before the emulator as a load balancer that ends TLS would: the stack's policies refuse a call without
 * TLS, and the emulator goes by this header. It answers a call that MiniStack does not know (source-queues.ts), and can
 * make calls fail, since no emulator ever answers 429.
 */
export async function startFront(upstream: number): Promise<Front> {
  const agent = new Agent({ keepAlive: true, timeout: 30_000 });
  const faults = new Map<string, number[]>();

  const faultOf = (path: string, body: Buffer): number | undefined => {
    for (const [text, statuses] of faults) {
      if (statuses.length > 0 && (path.includes(text) || body.includes(text))) return statuses.shift();
    }
    return undefined;
  };

  const pass = (asked: IncomingMessage, body: Buffer, answer: ServerResponse) => {
    const { method, url: path } = asked;
    const headers = { ...asked.headers, "x-forwarded-proto": "https" };
    const onward = request({ host: "127.0.0.1", port: upstream, method, path, headers, agent }, (found) => {
      answer.writeHead(found.statusCode ?? 502, found.headers);
      found.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    onward.end(body);
  };

  const server = createServer(async (asked, answer) => {
    const body = await buffer(asked);
    const path = decodeURIComponent(asked.url ?? "");
    if (path === FAULTS) {
      const { contains, statuses }: Fault = JSON.parse(String(body));
      faults.set(contains, [...statuses]);
      return answer.end();
    }
    if (asked.headers["x-amz-target"] === LIST_SOURCES) {
      const output = await sourceQueues(queues, JSON.parse(String(body)).QueueUrl);
      return answer.setHeader("content-type", "application/x-amz-json-1.0").end(JSON.stringify(output));
    }
    const status = faultOf(path, body);
    return status ? answer.writeHead(status).end() : pass(asked, body, answer);
  });

  const open = new Set<Duplex>();
  server.on("upgrade", (asked: IncomingMessage, client: Duplex, head: Buffer) => {
    const onward = connect(upstream, "127.0.0.1");
    onward.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${headerLines(asked.rawHeaders)}\r\n`);
    onward.write(head);
    client.pipe(onward).pipe(client);
    client.on("error", () => onward.destroy());
    onward.on("error", () => client.destroy());
    open.add(client);
    client.on("close", () => open.delete(client));
  });

  const url = `http://127.0.0.1:${await listen(server)}`;
  const queues = new SQSClient({ ...clientConfig(url), useQueueUrlAsEndpoint: false });
  return {
    url,
    stop: async () => {
      queues.destroy();
      for (const client of open) client.destroy();
      await shut(server);
      agent.destroy();
    },
  };
}

/** Names and values alternate in a raw list. */
const headerLines = (raw: readonly string[]) =>
  raw.map((part, index) => part + (index % 2 === 0 ? ": " : "\r\n")).join("");
