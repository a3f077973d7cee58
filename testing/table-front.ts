import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { listen, shut } from "./listen.ts";

type Json = Record<string, unknown>;
type Batch = Readonly<Record<string, Json & { Keys?: Json[] }>>;

export interface TableFrontOptions {
  /** Whether the table has capacity for a whole batch now; without it a part comes back as unprocessed. */
  readonly hasCapacity?: () => boolean;
  /** Operations that are refused for good. */
  readonly refuses?: (operation: string) => boolean;
}

export interface TableFront {
  readonly endpoint: string;
  /** Operations in the order in which they came. */
  readonly calls: string[];
  stop(): Promise<void>;
}

/**
 * DynamoDB as it may be, in front of an emulator that is kinder: a read that does not ask for consistency sees none of
 * the writes, a batch is processed in part while there is no capacity, and a `ttl` that cannot be seconds of this time
 * is refused (DynamoDB would take it and never delete the row).
 */
export async function tableFront(
  target: string,
  { hasCapacity = () => true, refuses = () => false }: TableFrontOptions = {},
): Promise<TableFront> {
  const calls: string[] = [];

  const forward = async (headers: IncomingMessage["headers"], body: Json) => {
    const { host: _, "content-length": __, connection: ___, ...rest } = headers;
    const answer = await fetch(target, {
      method: "POST",
      headers: rest as Record<string, string>,
      body: JSON.stringify(body),
    });
    return { status: answer.status, json: (await answer.json()) as Json };
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const body = JSON.parse(await text(request)) as Json;
    calls.push(operation);
    const reply = (status: number, json: Json) => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(json));
    };
    if (refuses(operation)) {
      const __type = "com.amazonaws.dynamodb.v20120810#AccessDeniedException";
      return reply(400, { __type, message: `${operation} is refused` });
    }
    const bad = ttlsIn(body).find((ttl) => !(ttl > 1_500_000_000 && ttl < 10_000_000_000));
    if (bad !== undefined) {
      const message = `a ttl must be in seconds, got ${bad}`;
      return reply(400, { __type: "com.amazon.coral.validate#ValidationException", message });
    }
    if (operation in STALE && !isConsistent(operation, body)) return reply(200, STALE[operation] ?? {});
    const items = operation.startsWith("Batch") ? (body["RequestItems"] as Batch) : undefined;
    if (items === undefined || hasCapacity()) {
      const { status, json } = await forward(request.headers, body);
      return reply(status, json);
    }
    const { now, later } = halves(items);
    const left = operation === "BatchGetItem" ? "UnprocessedKeys" : "UnprocessedItems";
    if (now === undefined) return reply(200, { Responses: {}, [left]: later });
    const { status, json } = await forward(request.headers, { ...body, RequestItems: now });
    return reply(status, { ...json, ...(status === 200 ? { [left]: later } : {}) });
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const endpoint = await listen(server);
  return { endpoint, calls, stop: () => shut(server) };
}

/** What a replica that has seen no write answers. */
const STALE: Readonly<Record<string, Json>> = {
  GetItem: {},
  Query: { Items: [], Count: 0, ScannedCount: 0 },
  BatchGetItem: { Responses: {}, UnprocessedKeys: {} },
};

const isConsistent = (operation: string, body: Json): boolean =>
  operation === "BatchGetItem"
    ? Object.values(body["RequestItems"] as Batch).every((request) => request["ConsistentRead"] === true)
    : body["ConsistentRead"] === true;

function ttlsIn(body: Json): number[] {
  const found: number[] = [];
  JSON.stringify(body, (key, value: unknown) => {
    if (key === "ttl" && typeof value === "object" && value !== null && "N" in value)
      found.push(Number(value.N));
    return value;
  });
  return found;
}

/** A batch of one table in two: what is processed now (nothing of a single item), and what comes back. */
function halves(items: Batch): { now: unknown; later: unknown } {
  const [[table, request] = ["", {}]] = Object.entries(items);
  const all = Array.isArray(request) ? (request as Json[]) : (request.Keys ?? []);
  const part = (some: readonly Json[]) => ({
    [table]: Array.isArray(request) ? some : { ...request, Keys: some },
  });
  const half = all.length >> 1;
  return { now: half === 0 ? undefined : part(all.slice(0, half)), later: part(all.slice(half)) };
}
