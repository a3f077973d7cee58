import { createServer } from "node:http";
import { listen, shut } from "../../local/listen.ts";

/** What a path of an issuer answers: a set of these keys, or a status and a body of its own. */
export type Published = readonly unknown[] | { readonly status: number; readonly body: string };

export interface TestIssuer {
  readonly url: string;
  /** Requests so far. */
  requests(): number;
  /** From now on `/.well-known/jwks.json` answers this. `undefined`: the connection is cut without an answer. */
  change(answer: Published | undefined): void;
  stop(): Promise<void>;
}

/** A real issuer on the loopback address, as far as tokens need one: its key sets, by path. */
export async function publish(paths: Readonly<Record<string, Published>>): Promise<TestIssuer> {
  const answers = new Map<string, Published | undefined>(Object.entries(paths));
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    const path = request.url ?? "";
    const answer = answers.has(path) ? answers.get(path) : { status: 404, body: "" };
    if (answer === undefined) {
      request.socket.destroy();
      return;
    }
    const { status, body } =
      "status" in answer ? answer : { status: 200, body: JSON.stringify({ keys: answer }) };
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  return {
    url,
    requests: () => requests,
    change: (answer) => answers.set("/.well-known/jwks.json", answer),
    stop: () => shut(server),
  };
}
