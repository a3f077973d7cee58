import { receiptsHandler } from "../receipts.ts";
import { lambdaWorld } from "./world.ts";

export const handler = receiptsHandler(lambdaWorld());
