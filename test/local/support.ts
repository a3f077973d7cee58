import { once } from "node:events";
import type { APIGatewayProxyEventV2, APIGatewayProxyWebsocketEventV2, SQSEvent } from "aws-lambda";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { World } from "../../functions/world.ts";
import type { Handlers } from "../../local/handlers.ts";
import { type Router, type StartOptions, start } from "../../local/start.ts";

/** What the tiny functions were called with. */
export interface Seen {
  readonly http: APIGatewayProxyEventV2[];
  readonly sockets: APIGatewayProxyWebsocketEventV2[];
  readonly batches: SQSEvent[];
  readonly worlds: Partial<Record<keyof Handlers, World>>;
}

/** Starts the gateway over functions that record what they get: here the gateway is under test, not the pipeline. */
export async function startTiny(
  handlers: Partial<Handlers> = {},
  options: StartOptions = {},
): Promise<Router & { seen: Seen }> {
  const seen: Seen = { http: [], sockets: [], batches: [], worlds: {} };
  const recording: Handlers = {
    ingest: (world) => {
      seen.worlds.ingest = world;
      return async (event) => {
        seen.http.push(event);
        return { statusCode: 202, body: JSON.stringify({ state: "queued" }) };
      };
    },
    receipts: () => async (event) => {
      seen.http.push(event);
      return { statusCode: 200, body: "{}" };
    },
    consume: (world) => {
      seen.worlds.consume = world;
      return async (event) => {
        seen.batches.push(event);
        return { batchItemFailures: [] };
      };
    },
    socket: () => async (event) => {
      seen.sockets.push(event);
      return { statusCode: 200 };
    },
  };
  const router = await start({ ...options, handlers: { ...recording, ...handlers } });
  onTestFinished(async () => {
    await router.stop(0);
  });
  return { ...router, seen };
}

export interface TestSocket {
  readonly socket: WebSocket;
  /** The next frame, past ones first. */
  next(): Promise<string>;
  /** The code of its close. */
  readonly closed: Promise<number>;
}

/** Opens a socket that keeps every frame until it is asked for. */
export async function open(url: string, protocols: string[] = []): Promise<TestSocket> {
  const socket = new WebSocket(url, protocols);
  onTestFinished(() => socket.terminate());
  const frames: string[] = [];
  socket.on("message", (data, isBinary) => frames.push(isBinary ? "binary" : data.toString()));
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await once(socket, "open");
  return {
    socket,
    closed,
    async next() {
      while (frames.length === 0) await once(socket, "message");
      return frames.shift() ?? "";
    },
  };
}

/** The status and body with which a socket is refused. */
export function refused(url: string, protocols: string[] = []): Promise<{ status?: number; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols);
    socket.on("error", reject);
    socket.on("open", () => reject(new Error("it was not refused")));
    socket.on("unexpected-response", async (_, response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve({ ...(response.statusCode === undefined ? {} : { status: response.statusCode }), body });
    });
  });
}
