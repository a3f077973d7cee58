import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { Caller } from "./caller.ts";

/** A route of the HTTP API that a request matched. */
export interface Match {
  readonly routeKey: string;
  readonly pathParameters?: Readonly<Record<string, string>>;
}

/** An HTTP request as the HTTP API hands it to a function: payload format 2.0. `now` is in milliseconds. */
export function httpEvent(
  request: IncomingMessage,
  { routeKey, pathParameters }: Match,
  body: Buffer,
  { requestId, caller, now }: { requestId: string; caller: Caller; now: number },
): APIGatewayProxyEventV2 {
  const [rawPath = "/", rawQueryString = ""] = cut(request.url ?? "/", "?");
  const headers = headersOf(request);
  const { cookie } = request.headers;
  const query = queryOf(rawQueryString);
  const isBase64Encoded = body.length > 0 && !(isText(headers["content-type"]) && isUtf8(body));
  return {
    version: "2.0",
    routeKey,
    rawPath,
    rawQueryString,
    ...(cookie === undefined ? {} : { cookies: cookie.split("; ") }),
    headers,
    ...(query === undefined ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: "000000000000",
      apiId: "local",
      domainName: caller.host ?? "localhost",
      domainPrefix: "local",
      http: {
        method: request.method ?? "GET",
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: caller.address,
        userAgent: headers["user-agent"] ?? "",
      },
      requestId,
      routeKey,
      stage: "$default",
      time: requestTime(now),
      timeEpoch: now,
    },
    ...(body.length === 0 ? {} : { body: body.toString(isBase64Encoded ? "base64" : "utf8") }),
    ...(pathParameters === undefined ? {} : { pathParameters }),
    isBase64Encoded,
  };
}

/** The HTTP API hands bodies of these types on as text and all others as base64, so no byte is lost. */
const isText = (type: string | undefined) =>
  type !== undefined && /^(text\/|application\/(json|javascript|xml)|[^;]+\+(json|xml))/i.test(type);

/** Lower-case names, without cookies; repeated headers are joined with a comma. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && name !== "cookie")
      joined[name] = typeof value === "string" ? value : value.join(",");
  }
  return joined;
}

function queryOf(text: string): Record<string, string> | undefined {
  if (text === "") return undefined;
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  }
  return query;
}

function cut(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** As in the Common Log Format: 12/Mar/2020:19:03:58 +0000. It is the same for a second. */
export function requestTime(now: number): string {
  const second = Math.floor(now / 1_000);
  if (second !== last.second) {
    const [, day, month, year, time] = new Date(now).toUTCString().split(" ");
    last = { second, text: `${day}/${month}/${year}:${time} +0000` };
  }
  return last.text;
}

let last = { second: Number.NaN, text: "" };
