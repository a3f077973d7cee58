import { socketFunction } from "../aws/socket.ts";
import { lambdaRuntime } from "./runtime.ts";
import { readSecret } from "./secret.ts";

export const handler = socketFunction(lambdaRuntime(readSecret));
