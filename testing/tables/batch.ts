/** What BatchWriteItem takes for a table, or what BatchGetItem takes under Keys. */
type Items = readonly unknown[];
export type Requested = Items | (Readonly<Record<string, unknown>> & { readonly Keys: Items });

export interface BatchInput {
  readonly RequestItems: Readonly<Record<string, Requested>>;
}

/** The field of a response that holds what was not processed, by operation. */
export const LEFT: Readonly<Record<string, string>> = {
  BatchWriteItem: "UnprocessedItems",
  BatchGetItem: "UnprocessedKeys",
};

export const itemsOf = (requested: Requested): Items => ("Keys" in requested ? requested.Keys : requested);

export const withItems = (requested: Requested, items: Items): Requested =>
  "Keys" in requested ? { ...requested, Keys: items } : items;
