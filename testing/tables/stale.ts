import type { Call, Layer } from "../front.ts";
import { inputOf, outputOf, withInput, withOutput } from "../json.ts";
import { type CallRequest, operationOf } from "../service.ts";
import { type Key, type KeySchema, keyOf, tableCalls } from "./table-calls.ts";

export interface StaleOptions {
  /** How long a write stays unseen by reads that are not consistent, in milliseconds. */
  readonly milliseconds: number;
  readonly now: () => number;
  /** Calls the tables without being checked. */
  readonly call: Call;
}

interface Item {
  readonly [name: string]: unknown;
}

interface Input {
  readonly TableName?: string;
  readonly ConsistentRead?: boolean;
  readonly IndexName?: string;
  readonly Key?: Item;
  readonly Item?: Item;
  readonly RequestItems?: Readonly<Record<string, unknown>>;
}

interface Change {
  readonly at: number;
  readonly table: string;
  readonly key: Key;
  readonly item: Item | undefined;
}

const SUFFIX = ".replica";

/**
 * Tables whose eventually consistent reads see nothing that was written within the last milliseconds: they are read
 * from a replica that is so much behind.
 */
export function stale({ milliseconds, now, call }: StaleOptions): Layer {
  const tables = tableCalls(call);
  const replicas = new Map<string, Promise<KeySchema>>();
  const schemaOf = (table: string): Promise<KeySchema> => {
    const known = replicas.get(table) ?? tables.copySchema(table, table + SUFFIX);
    replicas.set(table, known);
    return known;
  };
  let changes: Change[] = [];
  /** Changes are applied in the order of their writes, by one at a time. */
  let applying: Promise<void> = Promise.resolve();

  const catchUp = (): Promise<void> => {
    applying = applying.then(async () => {
      const due = changes.filter(({ at }) => at + milliseconds <= now());
      changes = changes.filter((change) => !due.includes(change));
      for (const { table, key, item } of due) await tables.write(table + SUFFIX, key, item);
    });
    return applying;
  };

  const remember = async (keys: readonly { readonly table: string; readonly key: Key }[]): Promise<void> => {
    const at = now();
    for (const { table, key } of keys) {
      changes.push({ at, table, key, item: await tables.read(table, key) });
    }
  };

  const keysIn = async (request: CallRequest) => {
    const { TableName = "", Key: key, Item: item, RequestItems } = inputOf<Input>(request);
    const single = key ?? item;
    if (single !== undefined) return [{ table: TableName, key: keyOf(single, await schemaOf(TableName)) }];
    const parts = Object.entries(RequestItems ?? {}).map(async ([table, requests]) => {
      const schema = await schemaOf(table);
      const rows = (requests as readonly BatchWrite[]).map(
        (one) => one.PutRequest?.Item ?? one.DeleteRequest?.Key,
      );
      return rows.map((row) => ({ table, key: keyOf(row ?? {}, schema) }));
    });
    return (await Promise.all(parts)).flat();
  };

  const readBehind = async (request: CallRequest, next: Call) => {
    await catchUp();
    const input = inputOf<Input>(request);
    if (input.TableName !== undefined) {
      if (input.ConsistentRead) return next(request);
      await schemaOf(input.TableName);
      return next(withInput(request, { ...input, TableName: input.TableName + SUFFIX }));
    }
    const names = new Map<string, string>();
    for (const [table, keys] of Object.entries(input.RequestItems ?? {})) {
      await schemaOf(table);
      names.set(table, (keys as Input).ConsistentRead ? table : table + SUFFIX);
    }
    const RequestItems = renamed(input.RequestItems, (name) => names.get(name) ?? name);
    const response = await next(withInput(request, { ...input, RequestItems }));
    if (response.status !== 200) return response;
    const { Responses, UnprocessedKeys } =
      outputOf<Readonly<Record<string, Readonly<Record<string, unknown>>>>>(response);
    const plain = (name: string) => name.replace(SUFFIX, "");
    return withOutput(response, {
      Responses: renamed(Responses, plain),
      UnprocessedKeys: renamed(UnprocessedKeys, plain),
    });
  };

  return async (request, next) => {
    const operation = operationOf(request);
    if (READS.has(operation)) return readBehind(request, next);
    if (!WRITES.has(operation)) return next(request);
    const keys = await keysIn(request);
    const response = await next(request);
    if (response.status === 200) await remember(keys);
    return response;
  };
}

interface BatchWrite {
  readonly PutRequest?: { readonly Item: Item };
  readonly DeleteRequest?: { readonly Key: Item };
}

const READS: ReadonlySet<string> = new Set(["GetItem", "BatchGetItem", "Query", "Scan"]);
const WRITES: ReadonlySet<string> = new Set(["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"]);

const renamed = (record: Readonly<Record<string, unknown>> = {}, rename: (name: string) => string) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [rename(name), value]));
