import type { ConnectionId } from "../protocol/tag.ts";
import type { Awaitable } from "./awaitable.ts";

/** The result of one send. Expected failures are values. */
export type SendResult =
  | { readonly kind: "sent" }
  /** 410: the connection does not exist. */
  | { readonly kind: "gone" }
  /** 429: the account's quota is used up, or the buffer of this client is full. The status is the same for both. */
  | { readonly kind: "throttled"; readonly reason: string }
  /** 5xx, a timeout, a reset, 403 or 404: the gateway or the stack failed. `forbidden` is true for 403 and 404. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly forbidden?: boolean }
  /** 400 or 413: the gateway never delivers this frame to this connection. */
  | { readonly kind: "refused"; readonly reason: string };

/** The result of a request to close a socket. */
export type CloseResult =
  | { readonly kind: "closed" }
  /** 410 or 400: the connection does not exist, or its `$connect` has not returned. */
  | { readonly kind: "gone" }
  | Extract<SendResult, { readonly kind: "throttled" | "unavailable" }>;

/** The state of the gateway, from a probe or from recent sends. */
export type GatewayState = "up" | "throttled" | "down";

export interface Sockets {
  /** Sends one frame once. The caller MUST NOT change its bytes afterwards. MUST return a failed send and not throw. */
  send(id: ConnectionId, frame: Uint8Array): Awaitable<SendResult>;
  /**
   * Closes a socket; frames that were sent before reach it first. Idempotent: a socket that is closed is `gone`. MUST
   * return a failure and not throw.
   */
  close(id: ConnectionId): Promise<CloseResult>;
  /**
   * Requests a connection that cannot exist (GET @connections): 410 or 400 means up, 429 throttled, any other result
   * down. MUST NOT throw.
   */
  probe(): Promise<GatewayState>;
}
