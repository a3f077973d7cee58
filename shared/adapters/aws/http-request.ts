import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher, Pool } from "undici";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** As it is sent: percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** The outcome of a request, without the body of a success. */
export interface HttpOutcome {
  readonly status: number;
  /** The x-amzn-errortype header. */
  readonly errorType?: string;
  /** The date header, unless the answer came from a cache. */
  readonly date?: string;
  /** What the start of the body says if the request failed. */
  readonly detail: string;
}

export interface HttpClient {
  /**
   * Resolves as soon as the outcome is known. A success is known by its status: the rest of it can neither be waited
   * for in vain nor turn a frame that was sent into one that is sent again. Rejects if no outcome comes in time; a
   * request that was not written by then is never written.
   */
  request(request: HttpRequest): Promise<HttpOutcome>;
  destroy(): Promise<void>;
}

export interface HttpClientOptions {
  readonly origin: string;
  /** Milliseconds from the call to the end of the answer. */
  readonly timeout: number;
  /** HTTP connections at most. */
  readonly connections: number;
  /**
   * Milliseconds an unused connection is kept at most, whatever the server offers.
   * @default 30_000
   */
  readonly keepAlive?: number;
}

/** Milliseconds to open a connection. */
const CONNECT_TIMEOUT = 1_000;

/** HTTP/1.1 over a bounded number of connections that are kept open. */
export function undiciClient({
  origin,
  timeout,
  connections,
  keepAlive = 30_000,
}: HttpClientOptions): HttpClient {
  const start = async () => {
    // By its default export: a bundle has no other of a CommonJS module that is imported on first use.
    const { Pool } = (await import("undici")).default;
    return new Pool(origin, {
      connections,
      // One timer for the whole answer is kept here: undici's two are up to a second late.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
      connect: { timeout: CONNECT_TIMEOUT },
    });
  };
  // Loaded beside the start of a function, not before it.
  const starting = start();
  starting.catch(() => {}); // each request reports it

  return {
    request: async (request) => dispatch(await starting, request, timeout),
    destroy: async () => (await starting).destroy(),
  };
}

const dispatch = (pool: Pool, { method, path, headers, body }: HttpRequest, timeout: number) =>
  new Promise<HttpOutcome>((resolve, reject) => {
    const handler = new OutcomeHandler(timeout, resolve, reject);
    pool.dispatch({ method, path, headers, body: body ?? null }, handler);
  });

/** A class, so that a request makes one object and not a closure for each event. */
class OutcomeHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (outcome: HttpOutcome) => void;
  readonly #reject: (fault: Error) => void;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #late: Error | undefined;
  #failure: Omit<HttpOutcome, "detail"> | undefined;

  constructor(timeout: number, resolve: (outcome: HttpOutcome) => void, reject: (fault: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(() => {
      this.#late = new Error(`no answer within ${timeout} ms`);
      this.#controller?.abort(this.#late);
      this.#settle("", this.#late);
    }, timeout);
  }

  /** Before the request is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#late) controller.abort(this.#late);
  }

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
    if (this.#failure) this.#settle(chunk.toString());
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    this.#settle("");
  }

  onResponseError(_controller: unknown, fault: Error): void {
    clearTimeout(this.#timer);
    this.#settle("", fault);
  }

  /** A second call changes nothing. */
  #settle(body: string, fault?: Error): void {
    if (this.#failure) this.#resolve({ ...this.#failure, detail: messageIn(body) });
    else if (fault) this.#reject(fault);
  }
}

/** `{"message": "…"}`, as the gateway words its errors. */
function messageIn(body: string): string {
  return /"message"\s*:\s*"([^"]*)"/i.exec(body)?.[1] ?? "";
}
