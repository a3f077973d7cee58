import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import type { PublisherOptions } from "../../server/options.ts";
import { type Publisher, publisherOn } from "../../server/publisher.ts";
import { listen, shut } from "../../testing/listen.ts";
import { memoryClock } from "../../testing/memory/clock.ts";

/** An answer, or none: `cut` ends the connection, `hang` leaves it open. */
export type Answer =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | "cut"
  | "hang";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly bytes: number;
  /** Milliseconds since the publisher was made, by its clock. */
  readonly at: number;
}

/** The answers in turn, the last one for all that follow; or one made for each request. */
export type Script = readonly Answer[] | ((asked: Asked) => Answer);

export interface Scripted {
  readonly publisher: Publisher;
  readonly asked: Asked[];
  readonly clock: ReturnType<typeof memoryClock>;
}

const TOKEN = "a.token.given";

/** A publisher on a clock that moves only when it waits, before a server that answers as the script says. */
export async function scripted(
  script: Script,
  options: Partial<PublisherOptions> = {},
  { random = 0.5, path = "" }: { readonly random?: number; readonly path?: string } = {},
): Promise<Scripted> {
  const clock = memoryClock();
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const { method = "", url: target = "", headers } = request;
    const json: unknown = body === "" ? undefined : JSON.parse(body);
    const it = {
      method,
      path: target,
      headers,
      body: json,
      bytes: Buffer.byteLength(body),
      at: clock.monotonic(),
    };
    asked.push(it);
    const answer = typeof script === "function" ? script(it) : (script[asked.length - 1] ?? script.at(-1));
    if (answer === "hang" || answer === undefined) return;
    if (answer === "cut") {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
  });
  const url = await listen(server);
  onTestFinished(() => shut(server));
  const credentials = "secret" in options || "token" in options ? {} : { token: TOKEN };
  const all = { url: url + path, ...credentials, ...options } as PublisherOptions;
  let ids = 0;
  const publisher = publisherOn(
    {
      fetch,
      now: clock.now,
      monotonic: clock.monotonic,
      async pause(milliseconds, signal) {
        signal?.throwIfAborted();
        clock.advance(milliseconds);
      },
      random: () => random,
      newId: () => `made-${++ids}`,
    },
    all,
  );
  return { publisher, asked, clock };
}

/** Stores every message. */
export function accepting({ body }: Asked): Answer {
  const queued = ({ id }: { id: string }) => ({ id, state: "queued" });
  return { status: 202, body: Array.isArray(body) ? body.map(queued) : queued(body as { id: string }) };
}
