import { consumeFunction } from "../aws/consume.ts";
import { lambdaRuntime } from "./runtime.ts";

export const handler = consumeFunction(lambdaRuntime());
