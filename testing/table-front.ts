import { startFront } from "./front.ts";
import { operationOf } from "./service.ts";
import { halved } from "./tables/halved.ts";
import { refused } from "./tables/refused.ts";
import { stale } from "./tables/stale.ts";
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

/** DynamoDB in front of an emulator that is kinder: reads that do not ask for consistency never see a write. */
export async function tableFront(
  target: string,
  { hasCapacity = () => true, refuses = () => false }: TableFrontOptions = {},
): Promise<TableFront> {
  const calls: string[] = [];
  const behind = upstream(target);
  const front = await startFront(
    [
      (request, next) => {
        calls.push(operationOf(request));
        return next(request);
      },
      refused(refuses),
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
