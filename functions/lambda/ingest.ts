import { ingestHandler } from "../ingest.ts";
import { readSecret } from "./secret.ts";
import { lambdaWorld } from "./world.ts";

export const handler = ingestHandler(lambdaWorld(readSecret));
