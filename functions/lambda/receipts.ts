import { receiptsFunction } from "../aws/receipts.ts";
import { lambdaRuntime } from "./runtime.ts";
import { readSecret } from "./secret.ts";

export const handler = receiptsFunction(lambdaRuntime(readSecret));
