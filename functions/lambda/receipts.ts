import { receiptsHandler } from "../receipts.ts";
import { lambdaRuntime } from "./runtime.ts";
import { readSecret } from "./secret.ts";

export const handler = receiptsHandler(lambdaRuntime(readSecret));
