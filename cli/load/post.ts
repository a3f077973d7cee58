import { setTimeout as pause } from "node:timers/promises";
import type { OutgoingMessage, PublishResult } from "../../server/publish.ts";
import type { Publisher } from "../../server/publisher.ts";
import { BATCH_MESSAGES, BODY_BYTES } from "../../shared/protocol/limits.ts";
import type { Io } from "../io.ts";
import { publisherFor } from "../router.ts";
import type { Fate } from "./ledger.ts";

export interface LoadMessage {
  /** Messages per second, and how many at most. */
  readonly rate: number;
  readonly messages: number;
  /** What is posted as the message of this number. */
  readonly messageOf: (message: number) => OutgoingMessage;
  /** Bytes of a message. */
  readonly bytes: number;
  readonly until: AbortSignal;
  onPost(message: number): void;
  /** The code is a refusal's, or what went wrong. */
  onFate(message: number, fate: Fate, code?: string): void;
  /** After each request: how long it took, in milliseconds. */
  onAnswer(took: number): void;
}

/** How often messages that are due are gathered into requests, in milliseconds. */
const TICK = 20;
/** Requests under way at once. Past it, posting falls behind its rate. */
const REQUESTS = 64;

/**
 * Posts at a rate whatever the answers do, in arrays of what is due. Answers how many messages it posted, when all
 * requests have ended.
 */
export async function postAll(io: Io, posting: LoadMessage): Promise<{ posted: number; took: number }> {
  const { rate, messages, bytes, until } = posting;
  const most = Math.max(1, Math.min(BATCH_MESSAGES, Math.floor(BODY_BYTES / (bytes + 1))));
  // What the router refuses is counted, and not sent again.
  const router = await publisherFor(io, 1);
  const under = new Set<Promise<void>>();
  const began = performance.now();
  let next = 0;
  while (next < messages && !until.aborted) {
    const due = Math.min(messages, Math.floor(((performance.now() - began) / 1000) * rate) + 1);
    while (next < due && under.size < REQUESTS) {
      const batch = Array.from({ length: Math.min(most, due - next) }, (_, i) => next + i);
      next += batch.length;
      const request = post(router, posting, batch).finally(() => under.delete(request));
      under.add(request);
    }
    await pause(TICK, undefined, { signal: until }).catch(() => undefined);
  }
  const took = performance.now() - began;
  await Promise.all(under);
  return { posted: next, took };
}

async function post(router: Publisher, posting: LoadMessage, batch: readonly number[]): Promise<void> {
  for (const message of batch) posting.onPost(message);
  const began = performance.now();
  const results = await router.publishAll(batch.map(posting.messageOf));
  posting.onAnswer(performance.now() - began);
  for (const [i, message] of batch.entries()) {
    const { fate, code } = fateOf(results[i]);
    posting.onFate(message, fate, code);
  }
}

function fateOf(result: PublishResult | undefined): { fate: Fate; code?: string } {
  if (result?.state === "queued") return { fate: "accepted" };
  if (result?.state === "refused") return { fate: "refused", code: result.problem.code };
  const { code = "no result", status } = result?.error ?? {};
  return { fate: "unknown", code: status === undefined ? code : `HTTP ${status}` };
}
