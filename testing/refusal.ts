import type { CallResponse, Service } from "./service.ts";

/** Why AWS does not run a call. */
export interface Refusal {
  /** The name of an exception, as the SDK finds it in the response. */
  readonly code: string;
  readonly message: string;
}

/**
 * A refusal in the protocol of the service. DynamoDB and Secrets Manager answer 400 to a bad signature and to a call
 * without a grant (DynamoDB Developer Guide, "Error handling"); SQS and API Gateway answer 403.
 */
export function refusalOf(service: Service, { code, message }: Refusal): CallResponse {
  if (service === "execute-api") {
    const headers = { "content-type": "application/json", "x-amzn-errortype": code };
    return { status: 403, headers, body: JSON.stringify({ message }) };
  }
  const body = JSON.stringify({ __type: `com.amazon.coral.service#${code}`, message, Message: message });
  const type = service === "secretsmanager" ? "application/x-amz-json-1.1" : "application/x-amz-json-1.0";
  return { status: service === "sqs" ? 403 : 400, headers: { "content-type": type }, body };
}
