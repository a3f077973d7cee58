import type { Dispatcher, Pool } from "undici";

export interface Response {
  readonly status: number;
  /** The x-amzn-errortype header. */
  readonly errorType?: string;
  /** The date header, unless the answer came from a cache. */
  readonly date?: string;
  /** What the start of the body says, where the request failed. */
  readonly detail: string;
}

export interface HttpPost {
  /** Rejects where nothing answers in time. */
  post(path: string, headers: string[], body: Uint8Array): Promise<Response>;
  destroy(): Promise<void>;
}

export interface HttpPostOptions {
  readonly endpoint: string;
  /** Milliseconds until an answer must begin. */
  readonly timeout: number;
  readonly connections: number;
}

/** Milliseconds to open a connection. */
const CONNECT_TIMEOUT = 1_000;

/** Milliseconds an unused connection is kept, unless the server names a time itself. */
const KEEP_ALIVE = 30_000;

/** POSTs over a bounded number of connections that are kept open. */
export function undiciPost({ endpoint, timeout, connections }: HttpPostOptions): HttpPost {
  // Loaded beside the start of a function, not before it: nothing is posted before the first table calls.
  const pool = import("undici").then(
    ({ Pool }) =>
      new Pool(new URL(endpoint).origin, {
        connections,
        headersTimeout: timeout,
        bodyTimeout: timeout,
        keepAliveTimeout: KEEP_ALIVE,
        connect: { timeout: CONNECT_TIMEOUT },
      }),
  );
  pool.catch(() => {}); // each post reports it
  let open: Pool | undefined;

  return {
    async post(path, headers, body) {
      open ??= await pool;
      return dispatch(open, { path, method: "POST", headers, body });
    },
    destroy: async () => (await pool).destroy(),
  };
}

/**
 * Answers as soon as the outcome is known. A success is known by its status: the rest of it can neither be
 * waited for in vain nor turn a frame that was sent into one that is sent again.
 */
function dispatch(pool: Pool, request: Dispatcher.DispatchOptions): Promise<Response> {
  return new Promise((resolve, reject) => {
    let failure: Omit<Response, "detail"> | undefined;
    const fail = (body: string) => {
      if (failure) resolve({ ...failure, detail: messageIn(body) });
    };
    pool.dispatch(request, {
      onRequestStart() {},
      onResponseStart(_controller, status, headers) {
        if (status < 200) return; // only informational, the answer is still to come
        if (status < 300) return resolve({ status, detail: "" });
        const errorType = headers["x-amzn-errortype"];
        const date = headers["age"] === undefined ? headers["date"] : undefined;
        failure = {
          status,
          ...(typeof errorType === "string" ? { errorType } : {}),
          ...(typeof date === "string" ? { date } : {}),
        };
      },
      // Its errors are short: the first piece says it all.
      onResponseData: (_controller, chunk) => fail(chunk.toString()),
      onResponseEnd: () => fail(""),
      onResponseError: (_controller, fault) => (failure ? fail("") : reject(fault)),
    });
  });
}

/** `{"message": "…"}`, as the gateway words its errors. */
function messageIn(body: string): string {
  return /"message"\s*:\s*"([^"]*)"/i.exec(body)?.[1] ?? "";
}
