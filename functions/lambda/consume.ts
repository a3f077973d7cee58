import { consumeHandler } from "../consume.ts";
import { lambdaWorld } from "./world.ts";

export const handler = consumeHandler(lambdaWorld());
