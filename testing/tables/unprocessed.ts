import type { Layer } from "../front.ts";
import { inputOf, json, outputOf, withInput, withOutput } from "../json.ts";
import { operationOf } from "../service.ts";
import { type BatchInput, itemsOf, LEFT, type Requested, withItems } from "./batch.ts";
import { throttled } from "./throttled.ts";

export interface UnprocessedOptions {
  /** How long an item comes back unprocessed, from its first try on. */
  readonly milliseconds: number;
  /** The part of the items that this happens to, 0-1. */
  readonly share: number;
  readonly now: () => number;
  readonly random: () => number;
  /**
   * What becomes of a batch of which nothing can be processed: it is refused, as the API promises, or all of it comes
   * back. @default refused
   */
  readonly whole?: "refused" | "comes back";
  /** Gets the number of items of a batch that came back. @default ignored */
  readonly onUnprocessed?: (items: number) => void;
}

/** Tables that process a part of a batch only. */
export function unprocessed(options: UnprocessedOptions): Layer {
  const { milliseconds, share, now, random, whole = "refused", onUnprocessed } = options;
  /** When each item that was met can be processed, in milliseconds. */
  const readyAt = new Map<string, number>();
  const isReady = (table: string, item: unknown): boolean => {
    const key = `${table} ${JSON.stringify(item)}`;
    const at = readyAt.get(key) ?? (random() < share ? now() + milliseconds : 0);
    readyAt.set(key, at);
    if (now() < at) return false;
    readyAt.delete(key);
    return true;
  };

  return async (request, next) => {
    const field = LEFT[operationOf(request)];
    if (field === undefined) return next(request);
    const input = inputOf<BatchInput>(request);
    const parts = Object.entries(input.RequestItems).map(([table, requested]) => {
      const items = itemsOf(requested);
      const now = items.filter((item) => isReady(table, item));
      const later = items.filter((item) => !now.includes(item));
      return {
        table,
        now: withItems(requested, now),
        later: withItems(requested, later),
        left: later.length,
      };
    });
    const left = parts.reduce((sum, part) => sum + part.left, 0);
    if (left > 0) onUnprocessed?.(left);
    const RequestItems = named(parts.map((part) => [part.table, part.now]));
    const later = { [field]: named(parts.map((part) => [part.table, part.later])) };
    if (Object.keys(RequestItems).length === 0) {
      return whole === "refused" ? throttled() : json({ Responses: {}, ...later });
    }
    const response = await next(withInput(request, { ...input, RequestItems }));
    if (response.status !== 200 || left === 0) return response;
    const output = outputOf<object>(response);
    return withOutput(response, { ...output, ...later });
  };
}

/** Tables without items are left out, since DynamoDB refuses empty lists. */
const named = (parts: readonly (readonly [string, Requested])[]): BatchInput["RequestItems"] =>
  Object.fromEntries(parts.filter(([, requested]) => itemsOf(requested).length > 0));
