import type { Layer } from "../front.ts";
import { throttled } from "./throttled.ts";

/** Tables that refuse each so-manieth call once: the same call that follows is let through. */
export function throttleCalls(every: number, onThrottle: () => void = () => {}): Layer {
  const refused = new Set<string>();
  let calls = 0;
  return async (request, next) => {
    const body = request.body.toString();
    if (refused.delete(body) || ++calls % every !== 0) return next(request);
    refused.add(body);
    onThrottle();
    return throttled();
  };
}
