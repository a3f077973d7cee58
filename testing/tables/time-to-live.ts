import { TABLES, type TableName } from "../../shared/settings/tables.ts";
import type { Layer } from "../front.ts";
import { inputOf } from "../json.ts";
import { type CallRequest, operationOf } from "../service.ts";

export interface TimeToLiveOptions {
  /** The attribute by the name of a table; a table that is not named here has none. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Seconds that a time to live may lie in the past or in the future. @default 0 and 400 days */
  readonly bounds?: { readonly past: number; readonly future: number };
}

interface Value {
  readonly N?: string;
}
type Item = Readonly<Record<string, Value>>;

interface Input {
  readonly TableName?: string;
  readonly Item?: Item;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
  readonly RequestItems?: Readonly<
    Record<string, readonly { readonly PutRequest?: { readonly Item: Item } }[]>
  >;
}

/** The attribute of each table of the router, by the name that the table has. */
export const attributesOf = (names: Readonly<Record<TableName, string>>): TimeToLiveOptions["attributes"] =>
  Object.fromEntries(
    Object.entries(TABLES).map(([table, { timeToLive }]) => [names[table as TableName], timeToLive]),
  );

const DAYS = 86_400;
const MARGIN = 60;

/**
 * Refuses a row whose time to live is no number of seconds near now. DynamoDB takes any number and deletes by it, so
 * milliseconds, or a row without one, stay for ever without an error.
 */
export function timeToLive({
  attributes,
  now,
  bounds = { past: 0, future: 400 * DAYS },
}: TimeToLiveOptions): Layer {
  const isSound = ({ N }: Value = {}) => {
    const ahead = Number(N) - now() / 1000;
    return ahead >= -bounds.past - MARGIN && ahead <= bounds.future + MARGIN;
  };
  return async (request, next) => {
    const bad = written(request).find(({ table, item }) => {
      const attribute = attributes[table];
      return attribute !== undefined && !isSound(item[attribute]);
    });
    if (bad === undefined) return next(request);
    const message = `the time to live of a row of ${bad.table} is unsound: ${JSON.stringify(bad.item)}`;
    const body = JSON.stringify({ __type: "com.amazon.coral.validate#ValidationException", message });
    return { status: 400, headers: { "content-type": "application/x-amz-json-1.0" }, body };
  };

  /** What a request writes, as far as it concerns the attribute. An update that leaves it alone writes nothing. */
  function written(request: CallRequest): { readonly table: string; readonly item: Item }[] {
    const { TableName: table = "", RequestItems = {}, ...input } = inputOf<Input>(request);
    switch (operationOf(request)) {
      case "PutItem":
        return [{ table, item: input.Item ?? {} }];
      case "BatchWriteItem":
        return Object.entries(RequestItems).flatMap(([name, requests]) =>
          requests.flatMap(({ PutRequest }) => (PutRequest ? [{ table: name, item: PutRequest.Item }] : [])),
        );
      case "UpdateItem": {
        const value = setBy(input, attributes[table]);
        return value === undefined ? [] : [{ table, item: { [attributes[table] ?? ""]: value } }];
      }
      default:
        return [];
    }
  }
}

/** The value that an update gives an attribute. */
function setBy(input: Input, attribute: string | undefined): Value | undefined {
  const { UpdateExpression = "", ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = input;
  for (const [, name = "", value = ""] of UpdateExpression.matchAll(/([#\w]+)\s*=\s*(:\w+)/g)) {
    if ((ExpressionAttributeNames[name] ?? name) === attribute) return ExpressionAttributeValues[value] ?? {};
  }
  return undefined;
}
