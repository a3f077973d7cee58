import type { Layer } from "./front.ts";

/** Takes the stage off the path: AWS serves @connections under /STAGE, and the local gateway without one. */
export const withoutStage: Layer = (request, next) =>
  next({ ...request, path: request.path.replace(/^\/[^/]+/, "") || "/" });
