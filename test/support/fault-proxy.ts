import { Agent, createServer, request, type ServerResponse } from "node:http";
import { listen, shut } from "../../testing/listen.ts";

/** What the proxy does with one post: hands it on, answers this status instead, or never answers. */
export type Fault = number | "hang" | undefined;

export interface FaultProxy {
  readonly url: string;
  /** How often each fault was made. */
  readonly made: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** A proxy in front of a post endpoint that fails some of the posts, as `plan` says. */
export async function faultProxy(target: string, plan: (connectionId: string) => Fault): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const made: Record<string, number> = {};
  const fail = (response: ServerResponse, fault: number | "hang") => {
    made[fault] = (made[fault] ?? 0) + 1;
    if (fault !== "hang") response.writeHead(fault).end();
  };
  const server = createServer((incoming, response) => {
    const { method, headers, url = "" } = incoming;
    const fault = plan(decodeURIComponent(url.split("/").at(-1) ?? ""));
    if (fault !== undefined) {
      incoming.resume().on("end", () => fail(response, fault));
      return;
    }
    const outgoing = request(new URL(url, target), { method, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    incoming.pipe(outgoing);
  });
  const url = await listen(server);
  return {
    url,
    made,
    async stop() {
      agent.destroy();
      await shut(server);
    },
  };
}
