import { parseJson } from "../shared/protocol/parse.ts";
import { Failure, isReason, reasonLine, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { callerToken } from "./token.ts";

/** How long the router may take to answer. API Gateway gives up after 30 s. */
const ANSWER_WITHIN = 35_000;

/** What the router answered, if that was JSON. */
export interface RouterResponse {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Calls the router at TAGWIRE_URL, as `user` if no token is given. Throws a Failure where it cannot be reached; every
 * answer is a value.
 */
export async function call(
  io: Io,
  method: string,
  path: string,
  body?: unknown,
  user?: string,
): Promise<RouterResponse> {
  const address = new URL(path, routerUrl(io));
  const token = await callerToken(io, user);
  try {
    const response = await io.fetch(address, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
    return { status: response.status, body: jsonOf(await response.text()) };
  } catch (cause) {
    throw new Failure(`cannot reach ${address.origin}: ${causeOf(cause)}`, { cause });
  }
}

/** The answer's body where the router said yes. Throws a Failure with the router's reason where it did not. */
export function granted({ status, body }: RouterResponse): unknown {
  if (status >= 200 && status < 300) return body;
  const reason = isReason(body) ? reasonLine(body) : `the router answered ${status}`;
  throw new Failure(reason + hintFor(status));
}

/** What may help a caller whose token the router does not trust. */
export const hintFor = (status: number): string =>
  status === 401 ? "; set TAGWIRE_TOKEN, or TAGWIRE_SECRET to the router's secret" : "";

/** The router's address, ending in a slash. */
export function routerUrl({ env }: Pick<Io, "env">): URL {
  const url = addressOf("--url or TAGWIRE_URL", env.TAGWIRE_URL || "http://127.0.0.1:3000", [
    "http:",
    "https:",
  ]);
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

/** The word for what went wrong below fetch or a socket, as in ECONNREFUSED. */
export function causeOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  if ("code" in fault && typeof fault.code === "string") return fault.code;
  return fault.cause === undefined ? fault.message : causeOf(fault.cause);
}

function addressOf(name: string, text: string, protocols: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && protocols.includes(url.protocol)) return url;
  const wanted = protocols.map((protocol) => `${protocol}//`).join(" or ");
  throw new UsageError(`${name} must be an address that starts with ${wanted}, got ${text}`);
}

function jsonOf(text: string): unknown {
  const json = parseJson(text);
  return json.ok ? json.value : undefined;
}
