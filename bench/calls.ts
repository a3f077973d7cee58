import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";

/** How often each operation of AWS was called, by its name. A post to a connection is a PostToConnection. */
export type Calls = ReadonlyMap<string, number>;

/** Runs work and counts the requests that this process made for it by Node's HTTP client or by fetch. */
export async function callsOf(work: () => Promise<unknown>): Promise<Calls> {
  const calls = new Map<string, number>();
  const start = (_: object, name: string) => void calls.set(name, (calls.get(name) ?? 0) + 1);
  await watched({ start, end: () => {} }, work);
  return calls;
}

/**
 * Runs work and returns the number of round trips that it made one after another: a request that starts once others have
 * returned is one more than the latest of them. Work that does several things side by side would be told too many.
 */
export async function roundTripsOf(work: () => Promise<unknown>): Promise<number> {
  const depths = new WeakMap<object, number>();
  let deepest = 0;
  const start = (request: object) => void depths.set(request, deepest + 1);
  const end = (request: object) => {
    deepest = Math.max(deepest, depths.get(request) ?? 0);
  };
  await watched({ start, end }, work);
  return deepest;
}

interface Watch {
  readonly start: (request: object, name: string) => void;
  readonly end: (request: object) => void;
}

async function watched({ start, end }: Watch, work: () => Promise<unknown>): Promise<void> {
  const channels: Readonly<Record<string, (message: unknown) => void>> = {
    "http.client.request.start": (message) => {
      const { request } = message as { request: ClientRequest };
      start(request, nameOf(request.path, String(request.getHeader("x-amz-target") ?? "")));
    },
    "http.client.response.finish": (message) => end((message as { request: ClientRequest }).request),
    // What global fetch publishes.
    "undici:request:create": (message) => {
      const { request } = message as { request: { path: string; headers: readonly string[] } };
      const at = request.headers.findIndex((name) => name.toLowerCase() === "x-amz-target");
      start(request, nameOf(request.path, at < 0 ? "" : (request.headers[at + 1] ?? "")));
    },
    "undici:request:trailers": (message) => end((message as { request: object }).request),
  };
  for (const [name, listener] of Object.entries(channels)) subscribe(name, listener);
  try {
    await work();
  } finally {
    for (const [name, listener] of Object.entries(channels)) unsubscribe(name, listener);
  }
}

/** `AmazonSQS.SendMessage` and `DynamoDB_20120810.Query` name the operation after the dot. */
const nameOf = (path: string, target: string): string =>
  target.split(".")[1] ?? (path.includes("/@connections/") ? "PostToConnection" : path);

export const sum = (calls: Calls, ...names: readonly string[]): number =>
  names.reduce((total, name) => total + (calls.get(name) ?? 0), 0);
