import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import type { APIGatewayProxyEventV2, APIGatewayProxyWebsocketEventV2, SQSEvent } from "aws-lambda";
import { onTestFinished } from "vitest";
import type { Runtime } from "../../functions/aws/runtime.ts";
import type { Router, StartOptions } from "../../local/options.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import type { Handlers } from "../../local/twin/lambda/handlers.ts";
import { startTwin } from "../../local/twin/start.ts";
import { type Listener, openSocket } from "../support/socket.ts";

/** What the tiny functions were called with. */
export interface Seen {
  readonly http: APIGatewayProxyEventV2[];
  readonly sockets: APIGatewayProxyWebsocketEventV2[];
  readonly batches: SQSEvent[];
  readonly worlds: Partial<Record<keyof Handlers, Runtime>>;
}

/** Starts the gateway over functions that record what they get: here the gateway is under test, not the pipeline. */
export async function startTiny(
  handlers: Partial<Handlers> = {},
  options: StartOptions = {},
): Promise<Router & { seen: Seen }> {
  const seen: Seen = { http: [], sockets: [], batches: [], worlds: {} };
  const recording: Handlers = {
    ingest: (runtime) => {
      seen.worlds.ingest = runtime;
      return async (event) => {
        seen.http.push(event);
        return { statusCode: 202, body: JSON.stringify({ state: "queued" }) };
      };
    },
    receipts: () => async (event) => {
      seen.http.push(event);
      return { statusCode: 200, body: "{}" };
    },
    connections: () => async (event) => {
      seen.http.push(event);
      return { statusCode: 200, body: "{}" };
    },
    consume: (runtime) => {
      seen.worlds.consume = runtime;
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
  const router = await startTwin({ ...options, handlers: { ...recording, ...handlers } });
  onTestFinished(async () => {
    await router.stop(0);
  });
  return { ...router, seen };
}

/** A client of the router's @connections endpoint that tries once. */
export function clientOf({ seen }: { readonly seen: Pick<Seen, "worlds"> }): ApiGatewayManagementApiClient {
  const client = new ApiGatewayManagementApiClient({
    endpoint: seen.worlds.consume?.env["SOCKET_ENDPOINT"] ?? "",
    region: REGION,
    credentials: CREDENTIALS,
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return client;
}

export const post = (ConnectionId: string, text: string) =>
  new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(text) });

/** Opens a socket for the length of a test. */
export async function open(url: string, protocols: readonly string[] = []): Promise<Listener<string>> {
  const listener = await openSocket(url, protocols, (text) => text);
  onTestFinished(() => listener.socket.terminate());
  return listener;
}

/** Something to wait for, and the means to let it happen. */
export function latch() {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { release, released };
}
