import { ingestFunction } from "../aws/ingest.ts";
import { lambdaRuntime } from "./runtime.ts";
import { readSecret } from "./secret.ts";

export const handler = ingestFunction(lambdaRuntime(readSecret));
