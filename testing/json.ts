import type { CallRequest, CallResponse } from "./service.ts";

/** The input of a call in one of the AWS JSON protocols. The caller knows its shape by the operation. */
export const inputOf = <T>({ body }: Pick<CallRequest, "body">): T => JSON.parse(body.toString()) as T;

export const outputOf = <T>({ body }: Pick<CallResponse, "body">): T => JSON.parse(body.toString()) as T;

/** The same request with another input. */
export const withInput = (request: CallRequest, input: unknown): CallRequest => ({
  ...request,
  body: Buffer.from(JSON.stringify(input)),
});

/** The same response with another output. */
export function withOutput(response: CallResponse, output: unknown): CallResponse {
  const { "x-amz-crc32": _, ...headers } = response.headers;
  return { ...response, headers, body: JSON.stringify(output) };
}

/** A successful response of SQS or DynamoDB. */
export const json = (output: unknown): CallResponse => ({
  status: 200,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: JSON.stringify(output),
});
