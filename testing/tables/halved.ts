import type { Layer } from "../front.ts";
import { inputOf, json, outputOf, withInput, withOutput } from "../json.ts";
import { operationOf } from "../service.ts";
import { type BatchInput, itemsOf, LEFT, withItems } from "./batch.ts";

/** Tables that process half of each batch, and nothing of a batch of one, while they have no capacity. */
export function halved(hasCapacity: () => boolean): Layer {
  return async (request, next) => {
    const left = LEFT[operationOf(request)];
    if (left === undefined || hasCapacity()) return next(request);
    const input = inputOf<BatchInput>(request);
    const part = (choose: (index: number, half: number) => boolean) =>
      Object.entries(input.RequestItems).flatMap(([table, requested]) => {
        const items = itemsOf(requested);
        const chosen = items.filter((_, index) => choose(index, items.length >> 1));
        return chosen.length > 0 ? [[table, withItems(requested, chosen)] as const] : [];
      });
    const now = part((index, half) => index < half);
    const later = { [left]: Object.fromEntries(part((index, half) => index >= half)) };
    if (now.length === 0) return json({ Responses: {}, ...later });
    const response = await next(withInput(request, { ...input, RequestItems: Object.fromEntries(now) }));
    return response.status === 200
      ? withOutput(response, { ...outputOf<object>(response), ...later })
      : response;
  };
}
