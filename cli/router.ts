import { type Publisher, publisherOn, requestDeps } from "../server/publisher.ts";
import { call, failureOf } from "../server/request.ts";
import { SYSTEM } from "../server/runtime.ts";
import { Failure, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { callerToken } from "./token.ts";

/**
 * Calls the router at TAGWIRE_URL. A command tries for a second or two; `maxAttempts` is the number of its requests for
 * one call. Throws a Failure if there is no token to call it with.
 */
export async function publisherFor(io: Io, maxAttempts = ATTEMPTS): Promise<Publisher> {
  return publisherOn(...(await callsOf(io, { maxAttempts })));
}

/** Reads what is at a path of the router, as `user` if no token is given. Throws a RouterError for a refusal. */
export async function read(io: Io, path: string, user?: string): Promise<unknown> {
  return answerTo(await callsOf(io, { user }), { method: "GET", path });
}

/** Posts JSON to a path of the router. Throws a RouterError for a refusal. */
export async function post(io: Io, path: string, body: object): Promise<unknown> {
  return answerTo(await callsOf(io, {}), { method: "POST", path, body: JSON.stringify(body) });
}

async function answerTo(
  calls: Parameters<typeof publisherOn>,
  request: Parameters<typeof call>[1],
): Promise<unknown> {
  const response = await call(requestDeps(...calls), request, undefined);
  if (response.status === 200) return response.body;
  throw failureOf(response);
}

const ATTEMPTS = 4;

async function callsOf(
  io: Io,
  { user, maxAttempts = ATTEMPTS }: { user?: string | undefined; maxAttempts?: number },
): Promise<Parameters<typeof publisherOn>> {
  const url = routerUrl(io);
  // A secret that is not good is named before anything is sent.
  await callerToken(io, user);
  const { fetch, now, random } = io;
  return [
    { ...SYSTEM, fetch, now, random },
    { url, token: () => callerToken(io, user), maxAttempts },
  ];
}

/** The router's address, ending in a slash. */
export function routerUrl({ env }: Pick<Io, "env">): URL {
  const url = addressOf("--url or TAGWIRE_URL", env.TAGWIRE_URL || "http://127.0.0.1:3000", [
    "http:",
    "https:",
  ]);
  if (url.username || url.password)
    throw new UsageError("--url or TAGWIRE_URL must have no user and password: the router asks for a token");
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** Whether an address is this machine's own. */
export const isLoopback = ({ hostname }: URL): boolean =>
  /^(127(\.\d+){3}|localhost|\[::1\])$/.test(hostname);

/**
 * Where the router's WebSocket is: TAGWIRE_SOCKET_URL, or the root of a local router. Throws a Failure if TAGWIRE_URL
 * is the address of a deployment, whose WebSocket has another one.
 */
export function socketUrl({ env }: Pick<Io, "env">): URL {
  if (env.TAGWIRE_SOCKET_URL)
    return addressOf("--socket-url or TAGWIRE_SOCKET_URL", env.TAGWIRE_SOCKET_URL, ["ws:", "wss:"]);
  const url = new URL("/", routerUrl({ env }));
  if (!isLoopback(url)) {
    throw new Failure(`TAGWIRE_SOCKET_URL is missing: set it to the SocketUrl of the router at ${url.host}`);
  }
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

function addressOf(name: string, text: string, protocols: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url) url.hash = "";
  if (url && protocols.includes(url.protocol)) return url;
  const wanted = protocols.map((protocol) => `${protocol}//`).join(" or ");
  throw new UsageError(`${name} must be an address that starts with ${wanted}, got ${text}`);
}
