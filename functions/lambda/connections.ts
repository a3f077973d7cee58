import { connectionsHandler } from "../connections.ts";
import { lambdaRuntime } from "./runtime.ts";
import { readSecret } from "./secret.ts";

export const handler = connectionsHandler(lambdaRuntime(readSecret));
