import type { IncomingHttpHeaders } from "node:http";
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
  let open: Pool | undefined;
  starting.then(
    (pool) => {
      open = pool;
    },
    () => {}, // each request reports it
  );
  /** Without another promise once the pool is open. */
  const through = <T>(
    dispatch: (pool: Pool, request: Dispatcher.DispatchOptions) => Promise<T>,
    request: Dispatcher.DispatchOptions,
  ): Promise<T> => (open ? dispatch(open, request) : starting.then((pool) => dispatch(pool, request)));

  return {
    outcome: (path, headers, body) => through(outcome, { path, method: "POST", headers, body }),
    answer: (path, headers, body) => through(answer, { path, method: "POST", headers, body }),
    destroy: async () => (await starting).destroy(),
  };
}

const outcome = (pool: Pool, request: Dispatcher.DispatchOptions): Promise<Response> =>
  new Promise((resolve, reject) => pool.dispatch(request, new OutcomeHandler(resolve, reject)));

/** A class, so that a post makes one object and not a closure for each event. */
class OutcomeHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (response: Response) => void;
  readonly #reject: (fault: Error) => void;
  #failure: Omit<Response, "detail"> | undefined;

  constructor(resolve: (response: Response) => void, reject: (fault: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: unknown, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return; // only informational, the answer is still to come
    if (status < 300) {
      this.#resolve({ status, detail: "" });
      return;
    }
    const errorType = headers["x-amzn-errortype"];
    const { age, date } = headers;
    this.#failure = {
      status,
      ...(typeof errorType === "string" ? { errorType } : {}),
      ...(date !== undefined && age === undefined ? { date } : {}),
    };
  }

  /** Its errors are short: the first piece says it all. */
  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#fail(chunk.toString());
  }

  onResponseEnd(): void {
    this.#fail("");
  }

  onResponseError(_controller: unknown, fault: Error): void {
    if (this.#failure) this.#fail("");
    else this.#reject(fault);
  }

  #fail(body: string): void {
    if (this.#failure) this.#resolve({ ...this.#failure, detail: messageIn(body) });
  }
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
