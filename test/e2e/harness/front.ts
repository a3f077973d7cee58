import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { json } from "node:stream/consumers";
import { listen, shut } from "../../../local/listen.ts";

export interface Front {
  readonly url: string;
  stop(): Promise<void>;
}

/** PUT a list of statuses here, followed by a connection id: its next posts are answered with them. */
export const FAULTS = "/_front/posts/";

/**
 * Stands before the emulator as a load balancer that ends TLS would: the stack's policies refuse a call without
 * TLS, and the emulator goes by this header. It can also make posts fail, since no emulator ever answers 429.
 */
export async function startFront(upstream: number): Promise<Front> {
  const agent = new Agent({ keepAlive: true, timeout: 30_000 });
  const planned = new Map<string, number[]>();

  const pass = (asked: IncomingMessage, answer: ServerResponse) => {
    const { method, url: path, headers } = asked;
    const onward = request(
      { host: "127.0.0.1", port: upstream, method, path, headers: { ...headers, [SCHEME]: "https" }, agent },
      (found) => {
        answer.writeHead(found.statusCode ?? 502, found.headers);
        found.pipe(answer);
      },
    );
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
  };

  const server = createServer(async (asked, answer) => {
    const { method, url = "" } = asked;
    if (url.startsWith(FAULTS)) {
      planned.set(decodeURIComponent(url.slice(FAULTS.length)), (await json(asked)) as number[]);
      return answer.end();
    }
    const connection = method === "POST" ? /\/@connections\/([^/]+)$/.exec(decodeURIComponent(url))?.[1] : "";
    const status = planned.get(connection ?? "")?.shift();
    if (status === undefined) return pass(asked, answer);
    asked.resume();
    return answer.writeHead(status, { "content-type": "application/json" }).end("{}");
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
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      for (const client of open) client.destroy();
      await shut(server);
      agent.destroy();
    },
  };
}

const SCHEME = "x-forwarded-proto";

/** Names and values alternate in a raw list. */
const headerLines = (raw: readonly string[]) =>
  raw.map((part, index) => part + (index % 2 === 0 ? ": " : "\r\n")).join("");
