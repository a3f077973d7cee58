import { vi } from "vitest";
import { WebSocket } from "ws";
import type { Receipt } from "../../../shared/receipts/receipt.ts";
import type { Deployment } from "./deployment.ts";

export type Body = Readonly<Record<string, unknown>>;

export interface HttpResponse<T = Body> {
  readonly status: number;
  readonly body: T;
}

/** One call of the HTTP API, as `user` or with the token given. */
export async function call<T = Body>(
  { url }: Pick<Deployment, "url">,
  path: string,
  { method = "GET", token, body }: { method?: string; token?: string | undefined; body?: unknown },
): Promise<HttpResponse<T>> {
  const response = await fetch(url + path, {
    method,
    headers: {
      "content-type": "application/json",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

/** What a producer does with its messages. */
export interface Producer {
  post<T = Body>(body: unknown): Promise<HttpResponse<T>>;
  /** Posts one message and answers its id. */
  send(message: Body): Promise<string>;
  receipt(id: string): Promise<HttpResponse<Receipt>>;
  cancel(id: string): Promise<HttpResponse<Receipt>>;
  /** The receipt of a message that has ended. */
  ended(id: string, timeout?: number): Promise<Receipt>;
}

const UNDER_WAY: ReadonlySet<string> = new Set(["delivering", "retrying"]);

export async function producer(to: Deployment, sub: string): Promise<Producer> {
  const token = await to.token(sub);
  const post = <T = Body>(body: unknown) => call<T>(to, "/v1/messages", { method: "POST", token, body });
  const receipt = (id: string) => call<Receipt>(to, `/v1/messages/${id}`, { token });
  return {
    post,
    receipt,
    cancel: (id) => call(to, `/v1/messages/${id}`, { method: "DELETE", token }),
    async send(message) {
      const { status, body } = await post(message);
      if (status !== 202) throw new Error(`refused with ${status}: ${JSON.stringify(body)}`);
      return String(body["id"]);
    },
    ended: (id, timeout = 15_000) =>
      vi.waitFor(
        async () => {
          const { status, body } = await receipt(id);
          if (status !== 200 || UNDER_WAY.has(body.state)) throw new Error(JSON.stringify(body));
          return body;
        },
        { timeout, interval: 50 },
      ),
  };
}

/** A connected client. It keeps its frames until a test asks for them. */
export interface Client {
  request(frame: Body): Promise<Body>;
  /** The next message, come or to come. */
  message(): Promise<Body>;
  /** All messages that came and were not asked for, up to the answer to a ping. */
  rest(): Promise<readonly Body[]>;
  close(): Promise<void>;
}

/** Connects as a user. The token goes in the query, since not every emulator answers with a sub-protocol. */
export async function connect(
  to: Deployment,
  user: string,
  claims: { tags?: string[]; subscribe?: string[] } = {},
): Promise<Client> {
  const socket = await open(to, await to.token(user, claims));
  const messages = inbox("message");
  const replies = inbox("reply");
  socket.on("message", (bytes) => {
    const frame = JSON.parse(String(bytes)) as Body;
    (frame["type"] === "message" ? messages : replies).put(frame);
  });
  const request = (frame: Body) => {
    socket.send(JSON.stringify(frame));
    return replies.next();
  };
  return {
    request,
    message: messages.next,
    async rest() {
      await request({ type: "ping" });
      return messages.all();
    },
    close: async () => {
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.close(1000);
      await closed;
    },
  };
}

/** Opens a socket. Rejects with the status where it is refused. */
export function open({ socketUrl }: Pick<Deployment, "socketUrl">, token?: string): Promise<WebSocket> {
  const socket = new WebSocket(token ? `${socketUrl}?token=${token}` : socketUrl);
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.once("open", () => resolve(socket));
    socket.once("unexpected-response", (_, { statusCode }) =>
      reject(new Error(`refused with ${statusCode}`)),
    );
  });
}

/** Milliseconds before a client stops waiting for a frame. */
const PATIENCE = 20_000;

function inbox(what: string) {
  const frames: Body[] = [];
  const waiting = new Set<(frame: Body) => void>();
  return {
    put(frame: Body) {
      const [taker] = waiting;
      if (taker) taker(frame);
      else frames.push(frame);
    },
    next(): Promise<Body> {
      const frame = frames.shift();
      if (frame) return Promise.resolve(frame);
      return new Promise((resolve, reject) => {
        const give = (later: Body) => {
          clearTimeout(timer);
          waiting.delete(give);
          resolve(later);
        };
        const timer = setTimeout(() => {
          waiting.delete(give);
          reject(new Error(`no ${what} came within ${PATIENCE} ms`));
        }, PATIENCE);
        waiting.add(give);
      });
    },
    all: () => frames.splice(0),
  };
}
