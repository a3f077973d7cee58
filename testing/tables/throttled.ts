import type { CallResponse } from "../service.ts";

/** What DynamoDB answers if a partition or a table has no capacity left (DynamoDB API, ProvisionedThroughputExceeded). */
export const throttled = (): CallResponse => ({
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: JSON.stringify({
    __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    message: "The level of configured provisioned throughput for the table was exceeded.",
  }),
});
