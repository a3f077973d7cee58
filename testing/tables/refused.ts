import type { Layer } from "../front.ts";
import { operationOf } from "../service.ts";

/** Tables that refuse some operations for good, as they do if a policy does not allow them. */
export const refused =
  (refuses: (operation: string) => boolean): Layer =>
  async (request, next) => {
    const operation = operationOf(request);
    if (!refuses(operation)) return next(request);
    const __type = "com.amazonaws.dynamodb.v20120810#AccessDeniedException";
    return {
      status: 400,
      headers: { "content-type": "application/x-amz-json-1.0" },
      body: JSON.stringify({ __type, message: `${operation} is refused` }),
    };
  };
