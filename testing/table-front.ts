import type { TableName } from "../shared/settings/tables.ts";
import { startFront } from "./front.ts";
import { operationOf } from "./service.ts";
import { halved } from "./tables/halved.ts";
import { refused } from "./tables/refused.ts";
import { stale } from "./tables/stale.ts";
import { attributesOf, timeToLive } from "./tables/time-to-live.ts";
import { upstream } from "./upstream.ts";

export interface TableFrontOptions {
  /** Whether the table has capacity for a whole batch now. @default always */
  readonly hasCapacity?: () => boolean;
  /** Operations that are refused for good. @default none */
  readonly refuses?: (operation: string) => boolean;
}

export interface TableFront {
  readonly endpoint: string;
  /** Operations in the order in which they came. */
  readonly calls: string[];
  stop(): Promise<void>;
}

/** Milliseconds: longer than any test. */
const NEVER = 86_400_000;

/** What no test's clock leaves: 2017 to 2286, as seconds before and after 2017. */
const EPOCH = 1_500_000_000;
const BOUNDS = { past: 0, future: 8_500_000_000 };

export interface EmulatedTables {
  readonly endpoint: string;
  readonly names: Readonly<Record<TableName, string>>;
}

/**
 * DynamoDB in front of an emulator that is kinder: reads that do not ask for consistency never see a write, and a time
 * to live that cannot be seconds is refused (DynamoDB would take it and never delete the row).
 */
export async function tableFront(
  { endpoint, names }: EmulatedTables,
  { hasCapacity = () => true, refuses = () => false }: TableFrontOptions = {},
): Promise<TableFront> {
  const calls: string[] = [];
  const behind = upstream(endpoint);
  const front = await startFront(
    [
      (request, next) => {
        calls.push(operationOf(request));
        return next(request);
      },
      refused(refuses),
      timeToLive({ attributes: attributesOf(names), now: () => EPOCH * 1_000, bounds: BOUNDS }),
      stale({ milliseconds: NEVER, now: Date.now, call: behind.call }),
      halved(hasCapacity),
    ],
    behind.call,
  );
  return {
    endpoint: front.url,
    calls,
    async stop() {
      await front.stop();
      behind.stop();
    },
  };
}
