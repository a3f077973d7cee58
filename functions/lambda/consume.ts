import { consumeHandler } from "../consume.ts";
import { lambdaRuntime } from "./runtime.ts";

export const handler = consumeHandler(lambdaRuntime());
