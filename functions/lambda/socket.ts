import { socketHandler } from "../socket.ts";
import { lambdaRuntime } from "./runtime.ts";
import { readSecret } from "./secret.ts";

export const handler = socketHandler(lambdaRuntime(readSecret));
