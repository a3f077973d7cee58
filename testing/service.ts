/** The services that a function calls, as a credential scope names them. */
export type Service = "sqs" | "dynamodb" | "secretsmanager" | "execute-api";

/** Where everything is emulated. */
export interface Place {
  readonly region: string;
  readonly account: string;
}

/** One HTTP request, with its whole body. */
export interface CallRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface CallResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

/** The operation of a request in one of the AWS JSON protocols, for example PutItem. Empty if there is none. */
export const operationOf = ({ headers }: Pick<CallRequest, "headers">): string =>
  String(headers["x-amz-target"] ?? "")
    .split(".")
    .at(-1) ?? "";
