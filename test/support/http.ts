import type { Router } from "../../local/options.ts";
import { tokenFor } from "./client.ts";

export interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
  /** The id of the message, where there is one. */
  readonly id: string;
}

/** Posts a message as the user `producer`, or with the token given. */
export async function post(
  { url }: Pick<Router, "url">,
  message: unknown,
  token?: string,
): Promise<Answered> {
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${token ?? (await tokenFor("producer"))}`,
    },
    body: JSON.stringify(message),
  });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body, id: String(body["id"]) };
}

/** What the router says became of a message. `DELETE` cancels it. */
export async function receipt(
  { url }: Pick<Router, "url">,
  id: string,
  { producer = "producer", method = "GET" } = {},
): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${await tokenFor(producer)}` };
  const response = await fetch(`${url}/v1/messages/${id}`, { method, headers });
  return (await response.json()) as Record<string, unknown>;
}
