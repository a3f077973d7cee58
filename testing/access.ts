import type { Access } from "./policy.ts";
import { type CallRequest, operationOf, type Place, type Service } from "./service.ts";

/**
 * What a call needs to be allowed: each of these. Throws for an operation whose permissions are not known here, so
 * that a new one is looked up in the Service Authorization Reference and not let through.
 */
export function accessesOf(
  service: Service,
  { region, account }: Place,
  request: CallRequest,
): readonly Access[] {
  if (service === "execute-api") {
    // /STAGE/@connections/ID; the id is matched as it is before encoding.
    const [, stage = "", collection = "", id = ""] = request.path.split("/").map(decodeURIComponent);
    const resource = `${request.method}/${collection}/${id}`;
    const api = `arn:aws:execute-api:${region}:${account}:${API_ID}/${stage}/${resource}`;
    return [{ action: "execute-api:ManageConnections", resource: api }];
  }
  const operation = operationOf(request);
  const input = JSON.parse(request.body.toString()) as Input;
  const action = `${service}:${ACTIONS[service][operation] ?? unknown(service, operation)}`;
  return resourcesOf(service, input).map((name) => ({
    action,
    resource: name.startsWith("arn:") ? name : `arn:aws:${service}:${region}:${account}:${name}`,
  }));
}

/** The id of the emulated WebSocket API. */
export const API_ID = "local";

interface Input {
  readonly QueueUrl?: string;
  readonly TableName?: string;
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  readonly SecretId?: string;
}

function resourcesOf(service: keyof typeof ACTIONS, { QueueUrl, TableName, RequestItems, SecretId }: Input) {
  if (service === "sqs") return [QueueUrl?.split("/").at(-1) ?? ""];
  if (service === "secretsmanager") return [SecretId ?? ""];
  return (RequestItems ? Object.keys(RequestItems) : [TableName]).map((name) => `table/${name}`);
}

const unknown = (service: string, operation: string): never => {
  throw new Error(`the permission for ${operation} of ${service} is not known`);
};

const same = (...operations: readonly string[]) =>
  operations.map((operation) => [operation, operation] as const);

/** Actions by operation (Service Authorization Reference). A batch needs the permission of its entries. */
const ACTIONS: Readonly<Record<Exclude<Service, "execute-api">, Readonly<Record<string, string>>>> = {
  sqs: Object.fromEntries([
    ...same("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
    ...same("GetQueueAttributes", "GetQueueUrl"),
    ["SendMessageBatch", "SendMessage"],
    ["DeleteMessageBatch", "DeleteMessage"],
    ["ChangeMessageVisibilityBatch", "ChangeMessageVisibility"],
  ]),
  dynamodb: Object.fromEntries(
    same(
      ...[
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "UpdateItem",
      ],
      ...["DescribeTable"],
    ),
  ),
  secretsmanager: Object.fromEntries(same("DescribeSecret", "GetSecretValue")),
};
