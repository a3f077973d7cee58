import type { LimitFunction } from "p-limit";
import type { Awaitable, Clock, IndexEntry, LogFields, Random, Telemetry } from "../../ports.ts";
import type { Withdrawal } from "../../receipts/claimability.ts";
import type { Progress, Recipient } from "../../receipts/receipt.ts";
import type { DeliveryPolicy } from "../../settings/policy.ts";
import type { Gateway } from "./gateway.ts";

export interface DeliverDeps {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Pick<DeliveryPolicy, "sendAttempts" | "pause" | "pendingLimit">;
  readonly telemetry: Telemetry;
}

export interface Delivery {
  readonly frame: Uint8Array;
  /** What the log says of it. */
  readonly fields: () => LogFields;
  /** The progress that earlier runs wrote. */
  readonly progress: Progress;
  /** The recipients in addition to the pending ones, in pages. */
  readonly pages: AsyncIterable<readonly IndexEntry[]>;
  /** Limits the sends in flight of the run. All its deliveries share it. */
  readonly limiter: LimitFunction;
  /** Deletes the rows of a connection that is gone. MUST NOT throw. */
  readonly removeConnection: (gone: Recipient) => Promise<void>;
  /** Called after the first frame of it that was ever sent. */
  readonly onFirstSend?: () => void;
  /** Returns why no further send may start; undefined if it may. Called before each send. */
  readonly stop: () => StopReason | undefined;
  /** Returns why the message is no longer delivered. Called before each page except the first, and before each retry round. */
  readonly withdrawal: () => Awaitable<Withdrawal | undefined>;
}

export type StopReason = "deadline" | "expired" | "gateway-down";

export interface Delivered {
  readonly progress: Progress;
  /** Why it stopped before each connection was sent to `sendAttempts` times. Absent if each was. */
  readonly stopped?: StopReason | Withdrawal | "pending-limit" | "waiting" | "fault";
  /** The reason of the last failed send, or the message of the fault. */
  readonly reason?: string;
}
