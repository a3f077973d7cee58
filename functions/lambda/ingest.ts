import { ingestHandler } from "../ingest.ts";
import { lambdaWorld } from "./world.ts";

export const handler = ingestHandler(lambdaWorld());
