import { receiptsHandler } from "../receipts.ts";
import { readSecret } from "./secret.ts";
import { lambdaWorld } from "./world.ts";

export const handler = receiptsHandler(lambdaWorld(readSecret));
