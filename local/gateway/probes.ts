import type { IncomingMessage, ServerResponse } from "node:http";
import type { Refusal } from "../../shared/protocol/errors.ts";
import { STOPPING, sendJson, sendProblem } from "./reply.ts";

export interface ProbesDeps {
  /** Where dead letters are, as `GET /health` tells the command line. */
  readonly deadLetters: object;
  /** Whether the router takes no more requests. */
  readonly stopping: () => boolean;
  /** Returns why the router can keep no message now. Undefined: it can. */
  readonly ready: () => Promise<Refusal | undefined>;
}

/** Whether a request is for `/health` or `/ready`. */
export const isProbe = ({ method, url }: IncomingMessage): boolean =>
  (url === "/health" || url === "/ready") && (method === "GET" || method === "HEAD");

/**
 * Answers a probe: `/health` with 200 as long as the process lives, `/ready` with 503 and the reason if the router takes
 * no messages. A balancer asks by an address of the machine, so a probe is answered whatever its host name is: it tells
 * nothing that a page could use.
 */
export async function answerProbe(
  { deadLetters, stopping, ready }: ProbesDeps,
  { url }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (url === "/health") return sendJson(response, 200, { status: "ok", deadLetters });
  const refusal = stopping() ? STOPPING : await ready();
  if (refusal) sendProblem(response, refusal);
  else sendJson(response, 200, { status: "ready" });
}
