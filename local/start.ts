import { startTwin } from "./twin/start.ts";

export const start = startTwin;
