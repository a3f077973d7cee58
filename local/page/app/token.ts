import { byId, input } from "./element.ts";

/** Why no token can be had here. */
export class NoToken extends Error {}

/** Fetches a token for a user from the router of this page, or takes the one that was pasted. */
export async function fetchToken(user: string, tags: readonly string[]): Promise<string> {
  const pasted = input("token").value.trim();
  if (pasted) return pasted;
  const response = await fetch("/page/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user, tags }),
  });
  const answer = (await response.json()) as { readonly token?: string; readonly detail?: string };
  if (response.ok && answer.token) return answer.token;
  if (response.status === 404) {
    byId("token-field", HTMLElement).hidden = false;
    byId("token-help", HTMLElement).hidden = false;
  }
  throw new NoToken(answer.detail ?? `the router answered ${response.status}`);
}
