import type { Tag, UserId } from "../protocol/tag.ts";
import type { Recipient } from "../receipts/receipt.ts";
import type { Spending } from "./token-bucket.ts";

/** An open WebSocket as its row describes it. */
export interface Connection extends Recipient {
  readonly user: UserId;
  readonly tags: readonly Tag[];
  /** Patterns of the topics it may add. */
  readonly subscribe: readonly string[];
  /** Milliseconds; after it the gateway has cut the socket, or its token has ended, with a margin for clocks that differ. */
  readonly expiresAt: number;
  /** Milliseconds; from then on the connection receives nothing, though its socket may be open. */
  readonly tokenExpiresAt: number;
}

/** A change of a connection's tags after which the lists may not agree with the row yet. */
export interface OpenChange {
  readonly id: string;
  /** Milliseconds since 1970, by the clock of the run that makes it. */
  readonly startedAt: number;
  readonly tags: readonly Tag[];
}

/** A connection's row with what the socket function keeps on it. */
export interface ConnectionRow extends Connection {
  /** Grows with each change of its tags. 0: there was none. */
  readonly revision: number;
  readonly changes: readonly OpenChange[];
  /** When its budget of changes is full again, in milliseconds since 1970. Absent: it is full. */
  readonly budgetUntil?: number;
}

/** What a frame does to the tags of a connection. */
export interface TagChange {
  readonly verb: "add" | "remove";
  readonly tags: readonly Tag[];
  /** Stays on the row, with all tags whose list rows the frame may write, until the change is `settle`d. */
  readonly mark: OpenChange;
  /** Changes of runs that are over: their marks go, and this change does what they left undone. */
  readonly takesOver: readonly OpenChange[];
  /** Tags that the row may hold after it. */
  readonly tagLimit: number;
  readonly spending: Spending;
}

/** What a token leaves of a connection's row in place of an earlier token. */
export interface TokenRefresh extends Pick<TagChange, "mark" | "takesOver" | "spending"> {
  /** All that the row holds after it. */
  readonly tags: readonly Tag[];
  readonly subscribe: readonly string[];
  readonly expiresAt: number;
  readonly tokenExpiresAt: number;
}

/** When the row of a connection expires, in milliseconds: with its token, or with the gateway's cut if that is sooner. */
export const rowExpiresAt = (
  { connectedAt, tokenExpiresAt }: Pick<Connection, "connectedAt" | "tokenExpiresAt">,
  { maxAgeSeconds, rowMarginSeconds }: { readonly maxAgeSeconds: number; readonly rowMarginSeconds: number },
): number => Math.min(connectedAt + maxAgeSeconds * 1_000, tokenExpiresAt) + rowMarginSeconds * 1_000;
