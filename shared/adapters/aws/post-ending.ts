import type { PostEnding } from "../../ports.ts";

/**
 * What a failed post means, by its status alone: emulators leave the error's name out. No status means that
 * nothing answered.
 */
export function failedPost(status: number | undefined, reason: string): PostEnding {
  if (status === 410) return { kind: "gone" };
  if (status === 400 || status === 403 || status === 404 || status === 413)
    return { kind: "refused", reason };
  return { kind: "busy", reason, ...(status === 429 ? { throttled: true } : {}) };
}
