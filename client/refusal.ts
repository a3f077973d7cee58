import type { Runtime } from "./runtime.ts";

/** How long the router may take to say whether it knows the token, in milliseconds. */
const LIMIT = 5_000;

/** `refused`: the router does not take the token. `other`: it does, or it cannot be reached. */
export type Verdict = "refused" | "other";

/**
 * Asks the HTTP API whether it takes a token: a WebSocket of a browser tells the same 1006 for a bad token and for a
 * router that is down. A token without `publish` is answered with 403, and any other with 404; both are good.
 */
export function askWhy({ fetch, after }: Runtime, httpUrl: string, token: string): Promise<Verdict> {
  return new Promise((resolve) => {
    const control = new AbortController();
    const tell = (verdict: Verdict) => {
      stop();
      resolve(verdict);
      // Nobody reads the body either.
      control.abort();
    };
    const stop = after(LIMIT, () => tell("other"));
    const headers = { authorization: `Bearer ${token}` };
    const { signal } = control;
    new Promise<Response>((take) => take(fetch(`${httpUrl}/v1/messages/-`, { headers, signal }))).then(
      ({ status }) => tell(status === 401 ? "refused" : "other"),
      () => tell("other"),
    );
  });
}
