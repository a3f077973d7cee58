import type { Router } from "./options.ts";

/** The repository has the command as a script, and everyone else as a package. */
const COMMAND = process.env.npm_lifecycle_event === "start" ? "npm run --silent tagwire --" : "npx tagwire";

/**
 * What somebody who has just started a router reads. `token` is there if the router has the development secret, which is
 * public: of another secret no token is printed.
 */
export function welcome(
  { url, socketUrl }: Pick<Router, "url" | "socketUrl">,
  { token, data }: { readonly token?: string | undefined; readonly data?: string | undefined },
): string {
  const addresses = `
Tagwire is ready. Open ${url} in a browser to try it.
  HTTP API   ${url}/v1/messages
  WebSocket  ${socketUrl}
  Metrics    ${url}/metrics
  Data       ${data ?? "in memory: it ends with this process"}
`;
  if (token === undefined) return addresses;
  return `${addresses}  Dev token  ${token}

See messages arrive, in another terminal:
  ${url === "http://127.0.0.1:3000" ? "" : `TAGWIRE_URL=${url} `}${COMMAND} listen --topic orders

Send one:
  curl -sS ${url}/v1/messages -H 'authorization: Bearer ${token}' -H 'content-type: application/json' -d '{"target":{"topic":"orders"},"event":"order.shipped","data":{"id":1}}'
`;
}
