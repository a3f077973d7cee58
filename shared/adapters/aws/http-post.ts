import type { Dispatcher, Pool } from "undici";

/** The outcome of a request, without the body of a success. */
export interface Response {
  readonly status: number;
  /** The x-amzn-errortype header. */
  readonly errorType?: string;
  /** The date header, unless the answer came from a cache. */
  readonly date?: string;
  /** What the start of the body says, where the request failed. */
  readonly detail: string;
}

/** The whole answer to a request. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** POSTs. Both reject where nothing answers in time. */
export interface HttpPost {
  /**
   * Resolves as soon as the outcome is known. A success is known by its status: the rest of it can neither be
   * waited for in vain nor turn a frame that was sent into one that is sent again.
   */
  outcome(path: string, headers: string[], body: Uint8Array): Promise<Response>;
  answer(path: string, headers: string[], body: string): Promise<Answer>;
  destroy(): Promise<void>;
}

export interface HttpPostOptions {
  readonly origin: () => Promise<string>;
  /** Milliseconds until an answer must begin. undici may take a second longer to notice. */
  readonly timeout: number;
  /** At most. */
  readonly connections: number;
}

/** Milliseconds to open a connection. */
const CONNECT_TIMEOUT = 1_000;

/** Milliseconds an unused connection is kept, unless the server names a time itself. */
const KEEP_ALIVE = 30_000;

/** Over a bounded number of connections that are kept open. */
export function undiciPost({ origin, timeout, connections }: HttpPostOptions): HttpPost {
  const start = async () => {
    const { default: Pool } = await import("undici/lib/dispatcher/pool.js");
    return new Pool(await origin(), {
      connections,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      keepAliveTimeout: KEEP_ALIVE,
      connect: { timeout: CONNECT_TIMEOUT },
    });
  };
  // Loaded beside the start of a function, not before it.
  const starting = start();
  starting.catch(() => {}); // each request reports it
  let pool: Pool | undefined;

  return {
    async outcome(path, headers, body) {
      pool ??= await starting;
      return outcome(pool, { path, method: "POST", headers, body });
    },
    async answer(path, headers, body) {
      pool ??= await starting;
      return answer(pool, { path, method: "POST", headers, body });
    },
    destroy: async () => (await starting).destroy(),
  };
}

function outcome(pool: Pool, request: Dispatcher.DispatchOptions): Promise<Response> {
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

function answer(pool: Pool, request: Dispatcher.DispatchOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let answered = 0;
    pool.dispatch(request, {
      onRequestStart() {},
      onResponseStart: (_controller, status) => {
        answered = status;
      },
      onResponseData: (_controller, chunk) => {
        chunks.push(chunk);
      },
      onResponseEnd: () => resolve({ status: answered, text: Buffer.concat(chunks).toString() }),
      onResponseError: (_controller, fault) => reject(fault),
    });
  });
}
