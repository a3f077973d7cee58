import { ERRORS, type ErrorCode, problem } from "../protocol/errors.ts";
import type { JsonSchema } from "./json-schema.ts";

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/** The codes that an item of an array can have. */
const ITEM_CODES: readonly ErrorCode[] = [
  "MESSAGE_INVALID",
  "TARGET_FORBIDDEN",
  "MESSAGE_TOO_LARGE",
  "LANE_FULL",
  "QUEUE_UNAVAILABLE",
];

/** What API Gateway refuses by itself, with a body of its own. */
const GATEWAY: Readonly<Record<number, string>> = {
  413: "Request Entity Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The codes of a request whose token is not good. */
export const TOKEN_CODES = [
  "TOKEN_MISSING",
  "TOKEN_INVALID",
  "TOKEN_EXPIRED",
  "ORIGIN_FORBIDDEN",
  "KEYS_UNAVAILABLE",
] as const satisfies readonly ErrorCode[];

export interface Refusals {
  /** The codes of problem documents. */
  readonly codes: readonly ErrorCode[];
  /** The statuses that API Gateway can refuse with. */
  readonly gateway: readonly number[];
  /** Whether the answer can be an array, each item of which is refused. */
  readonly items: boolean;
}

/** The responses of an operation that say no, by status. */
export function refusals({ codes, gateway, items }: Refusals): Readonly<Record<string, object>> {
  const statuses = [...new Set([...codes.map((code) => ERRORS[code].status), ...gateway])].sort();
  return Object.fromEntries(
    statuses.map((status) => {
      const own = codes.filter((code) => ERRORS[code].status === status);
      const isItems = items && own.some((code) => ITEM_CODES.includes(code));
      const json = [
        ...(isItems ? [{ type: "array", items: ref("RefusedItem"), minItems: 1 } as JsonSchema] : []),
        ...(gateway.includes(status) ? [ref("GatewayError")] : []),
      ];
      const content = {
        ...(own.length > 0 ? { "application/problem+json": problems(own) } : {}),
        ...(json.length > 0 ? { "application/json": { schema: anyOf(json) } } : {}),
      };
      return [String(status), { description: describe(own, status), ...headersOf(status, own), content }];
    }),
  );
}

const anyOf = (schemas: readonly JsonSchema[]): JsonSchema =>
  schemas.length === 1 && schemas[0] ? schemas[0] : { anyOf: [...schemas] };

const describe = (codes: readonly ErrorCode[], status: number): string =>
  [
    ...codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`),
    GATEWAY[status] && `${GATEWAY[status]}, from the gateway.`,
  ]
    .filter(Boolean)
    .join("\n\n");

const problems = (codes: readonly ErrorCode[]) => ({
  schema: ref("Problem"),
  examples: Object.fromEntries(
    codes.map((code) => [code, { value: problem({ code, detail: DETAIL[code] ?? ERRORS[code].title }) }]),
  ),
});

const DETAIL: Partial<Record<ErrorCode, string>> = {
  MESSAGE_INVALID: "/target is missing",
};

function headersOf(status: number, codes: readonly ErrorCode[]): object {
  if (status === 401) return { headers: { "WWW-Authenticate": header({ const: "Bearer" }, true) } };
  const isLater = codes.some((code) => LATER.includes(code));
  return isLater ? { headers: { "Retry-After": header(SECONDS, false) } } : {};
}

/** What comes with `Retry-After`, beside others of the same status that do not. */
const LATER: readonly ErrorCode[] = ["LANE_FULL", "RECEIPT_NOT_FOUND", "GATEWAY_UNAVAILABLE"];

const SECONDS = { type: "integer", minimum: 1, description: "Seconds." };
const header = (schema: object, required: boolean) => ({ required, schema });
