import { setImmediate as turn } from "node:timers/promises";
import pLimit from "p-limit";
import { deliver } from "../../shared/pipeline/deliver/deliver.ts";
import type { Delivered, StopReason } from "../../shared/pipeline/deliver/delivery.ts";
import { type GatewayMemory, gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import type { IndexEntry, SendResult } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import type { Withdrawal } from "../../shared/receipts/claimability.ts";
import { sortKey, WHOLE } from "../../shared/receipts/hash-range.ts";
import { NO_PROGRESS, type Progress } from "../../shared/receipts/receipt.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memorySockets } from "../../testing/memory/sockets.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { NOW } from "./message.ts";

export const BUSY: SendResult = { kind: "unavailable", reason: "503" };
export const REFUSED: SendResult = { kind: "refused", reason: "413" };
export const GONE: SendResult = { kind: "gone" };
export const NEW: Progress = { ...NO_PROGRESS, from: WHOLE.from };

/** The index entries of `count` connections, in the order of their keys. */
export const rowsOf = (count: number): readonly IndexEntry[] =>
  Array.from({ length: count }, (_, i) => `c${i}=` as ConnectionId)
    .map((connectionId) => ({ connectionId, connectedAt: NOW, key: sortKey(connectionId) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));

interface Options {
  readonly progress?: Progress;
  readonly sendsInFlight?: number;
  readonly pageSize?: number;
  readonly attempts?: number;
  readonly pendingLimit?: number;
  /** Milliseconds of the longest pause before a first retry. */
  readonly pause?: number;
  readonly frame?: Uint8Array;
  /** Sends per second. */
  readonly quota?: number;
  /** What the container knows of earlier runs. Without it each run is a container's first. */
  readonly memory?: GatewayMemory;
  readonly stop?: () => StopReason | undefined;
  readonly withdrawal?: () => Promise<Withdrawal | undefined>;
  /** The page that cannot be read. */
  readonly brokenPage?: number;
}

/** A container without earlier runs. */
export const container = (quota = 1e9): GatewayMemory =>
  gatewayMemory({ quotaRequestsPerSecond: quota, quotaFraction: 1 });

/** An audience with its sockets, and runs that deliver to it one after the other. */
export function audience(rows: readonly IndexEntry[]) {
  const [sockets, telemetry, clock] = [memorySockets(), memoryTelemetry(), memoryClock()];
  for (const { connectionId } of rows) sockets.open(connectionId);
  const forgotten: string[] = [];
  const sends: { readonly id: ConnectionId; readonly at: number }[] = [];
  let inFlight = 0;
  let most = 0;
  const counted = {
    probe: () => sockets.probe(),
    async send(id: ConnectionId, frame: Uint8Array) {
      sends.push({ id, at: clock.now() });
      most = Math.max(most, ++inFlight);
      // What is sent over a network is not answered within the turn.
      await turn();
      const result = await sockets.send(id, frame);
      inFlight--;
      return result;
    },
  };
  const run = (options: Options = {}): Promise<Delivered> => {
    const {
      progress = NEW,
      pageSize = 3,
      sendsInFlight = 4,
      attempts = 3,
      pendingLimit = 100,
      quota = 1e9,
      pause = 100,
      frame = Buffer.from("{}"),
      memory = container(quota),
    } = options;
    const { stop = () => undefined, withdrawal = async () => undefined } = options;
    async function* pages() {
      const { from } = progress;
      if (from === undefined) return;
      const left = rows.filter(({ key }) => key >= from);
      for (let at = 0, page = 0; at < left.length; at += pageSize, page++) {
        if (page === options.brokenPage) throw new Error("table unavailable");
        yield left.slice(at, at + pageSize);
      }
    }
    return deliver(
      {
        gateway: gateway(memory, { sockets: counted, clock }),
        clock,
        telemetry,
        random: () => 0.5,
        policy: {
          sendAttempts: attempts,
          pause: { baseMilliseconds: pause, capMilliseconds: 10 * pause },
          pendingLimit,
        },
      },
      {
        frame,
        fields: () => ({ messageId: "one" }),
        progress,
        pages: pages(),
        limiter: pLimit(sendsInFlight),
        removeConnection: async ({ connectionId }) => void forgotten.push(connectionId),
        stop,
        withdrawal,
      },
    );
  };
  /** The ids of all sends, in order, whatever became of them. */
  const calls = () => sends.map(({ id }) => id);
  const got = (id: ConnectionId) => sockets.frames(id).length;
  return { run, sockets, telemetry, clock, forgotten, got, rows, sends, calls, most: () => most };
}
