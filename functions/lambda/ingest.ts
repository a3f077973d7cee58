import { ingestHandler } from "../ingest.ts";
import { lambdaRuntime } from "./runtime.ts";
import { readSecret } from "./secret.ts";

export const handler = ingestHandler(lambdaRuntime(readSecret));
