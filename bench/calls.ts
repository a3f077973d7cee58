import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";

/** How often each operation of AWS was called, by its name. A post to a connection is a PostToConnection. */
export type Calls = ReadonlyMap<string, number>;

/** Runs work and counts the requests that this process made for it by Node's HTTP client or by fetch. */
export async function callsOf(work: () => Promise<unknown>): Promise<Calls> {
  const calls = new Map<string, number>();
  const count = (name: string) => calls.set(name, (calls.get(name) ?? 0) + 1);
  const onNode = (message: unknown) => {
    const { request } = message as { request: ClientRequest };
    count(nameOf(request.path, String(request.getHeader("x-amz-target") ?? "")));
  };
  // What global fetch publishes.
  const onFetch = (message: unknown) => {
    const { request } = message as { request: { path: string; headers: readonly string[] } };
    const at = request.headers.findIndex((name) => name.toLowerCase() === "x-amz-target");
    count(nameOf(request.path, at < 0 ? "" : (request.headers[at + 1] ?? "")));
  };
  subscribe("http.client.request.start", onNode);
  subscribe("undici:request:create", onFetch);
  try {
    await work();
  } finally {
    unsubscribe("http.client.request.start", onNode);
    unsubscribe("undici:request:create", onFetch);
  }
  return calls;
}

/** `AmazonSQS.SendMessage` and `DynamoDB_20120810.Query` name the operation after the dot. */
const nameOf = (path: string, target: string): string =>
  target.split(".")[1] ?? (path.includes("/@connections/") ? "PostToConnection" : path);

export const sum = (calls: Calls, ...names: readonly string[]): number =>
  names.reduce((total, name) => total + (calls.get(name) ?? 0), 0);
