import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller } from "../gateway/caller.ts";
import { type Assets, readAssets } from "./assets.ts";
import { type PageTokenDeps, sendPageToken } from "./page-token.ts";

export interface Page {
  /** Answers a request for the page, its files or its token. Returns false for any other, and does nothing then. */
  serve(request: IncomingMessage, response: ServerResponse, path: string, caller: Caller): Promise<boolean>;
}

/** The page at `GET /`: a client in the browser to try the router with. Only this runtime has it. */
export function page(deps: PageTokenDeps): Page {
  let assets: Assets | undefined;
  return {
    async serve(request, response, path, caller) {
      if (path === "/page/token" && request.method === "POST") {
        await sendPageToken(deps, request, response, caller);
        return true;
      }
      if (request.method !== "GET" || !PATHS.has(path)) return false;
      assets ??= readAssets();
      const asset = assets.get(path);
      if (!asset) return false;
      response.writeHead(200, { "content-type": asset.type, ...headersFor(caller) }).end(asset.text);
      return true;
    },
  };
}

/** Looked at before the files are, since to read them bundles the script. */
const PATHS: ReadonlySet<string> = new Set(["/", "/page/style.css", "/page/script.js"]);

/** Nothing but the page's own files, its router, and no frame around it. */
function headersFor({ host: named, isSecure }: Caller): Readonly<Record<string, string>> {
  // A Host header is what the client likes it to be: only what is a host and a port gets into the policy.
  const address = `http://${named}`;
  const host = URL.canParse(address) ? new URL(address).host : "127.0.0.1";
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src data:",
    // Safari does not count a WebSocket of the same host as 'self'.
    `connect-src 'self' ${isSecure ? "wss" : "ws"}://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    "cache-control": "no-store",
    "content-security-policy": policy.join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}
