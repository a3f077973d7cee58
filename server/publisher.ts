import type { Receipt } from "../shared/protocol/receipt.ts";
import {
  type DisconnectOptions,
  type DisconnectResult,
  type DisconnectTarget,
  disconnect,
} from "./disconnect.ts";
import { callSettings, type PublisherOptions } from "./options.ts";
import {
  type OutgoingMessage,
  type PublishResult,
  publish,
  publishAll,
  type QueuedMessage,
} from "./publish.ts";
import {
  cancel,
  type EndedReceipt,
  type ReceiptOptions,
  receipt,
  type WaitOptions,
  waitFor,
} from "./receipts.ts";
import type { RequestDeps } from "./request.ts";
import { type Runtime, SYSTEM } from "./runtime.ts";
import { tokenSource } from "./token-source.ts";

export interface CallOptions {
  /** Ends the call, its retries and its waits with ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * Calls a router. Every method tries again after 429, 5xx and network faults, within the publisher's bounds, and throws
 * a RouterError. It has no connections of its own to close.
 */
export interface Publisher {
  /**
   * Publishes one message. Returns its id, which is made before the first attempt: attempts do not publish it twice.
   * Throws the router's refusal.
   */
  publish(message: OutgoingMessage, options?: CallOptions): Promise<QueuedMessage>;
  /**
   * Publishes messages, in requests of at most 100 messages and 1 MiB. Returns a result for each, in order: one that
   * is refused or could not be sent MUST be looked for in the results, it throws nothing.
   */
  publishAll(messages: readonly OutgoingMessage[], options?: CallOptions): Promise<readonly PublishResult[]>;
  /** Returns the receipt. Returns undefined if no run has met the message yet, or the id is unknown. */
  receipt(id: string, options?: ReceiptOptions): Promise<Receipt | undefined>;
  /** Waits for the ending of a message, any or the one given. Throws ENDING_UNEXPECTED and WAIT_TIMED_OUT. */
  waitFor(id: string, options?: WaitOptions): Promise<EndedReceipt>;
  /** Cancels what has not been delivered yet. Returns the receipt after it. */
  cancel(id: string, options?: ReceiptOptions): Promise<Receipt>;
  /** Closes the connections of a user, or one connection. Needs an admin token. Throws DISCONNECT_INCOMPLETE. */
  disconnect(target: DisconnectTarget, options?: DisconnectOptions): Promise<DisconnectResult>;
}

/** A publisher. Throws OPTIONS_INVALID. */
export const publisher = (options: PublisherOptions): Publisher => publisherOn(SYSTEM, options);

/** A publisher on a runtime of the caller's. */
export function publisherOn(runtime: Runtime, options: PublisherOptions): Publisher {
  const deps = requestDeps(runtime, options);
  return {
    publish: (message, { signal } = {}) => publish(deps, message, signal),
    publishAll: (messages, { signal } = {}) => publishAll(deps, messages, signal),
    receipt: (id, asked) => receipt(deps, id, asked),
    waitFor: (id, asked) => waitFor(deps, id, asked),
    cancel: (id, asked) => cancel(deps, id, asked),
    disconnect: (target, asked) => disconnect(deps, target, asked),
  };
}

/** What calls of a router share: its address, its bounds and its tokens. */
export const requestDeps = (runtime: Runtime, options: PublisherOptions): RequestDeps => ({
  runtime,
  settings: callSettings(options),
  tokens: tokenSource(options, runtime),
});
