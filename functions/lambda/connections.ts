import { connectionsFunction } from "../aws/connections.ts";
import { lambdaRuntime } from "./runtime.ts";
import { readSecret } from "./secret.ts";

export const handler = connectionsFunction(lambdaRuntime(readSecret));
