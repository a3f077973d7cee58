import type { PublishTarget } from "../../../client/index.ts";

export const TARGETS = {
  topic: { label: "Topic", of: (value: string): PublishTarget => ({ topic: value }) },
  user: { label: "User", of: (value: string): PublishTarget => ({ user: value }) },
  connection: { label: "Connection id", of: (value: string): PublishTarget => ({ connection: value }) },
  tags: { label: "Tags: region:gd any plan:pro none user:1", of: tagsOf },
  everyone: { label: "", of: (): PublishTarget => ({ everyone: true }) },
} as const;
export type TargetKind = keyof typeof TARGETS;

/** Tags between spaces: those after `all`, `any` or `none` belong to that list, those before to `all`. */
function tagsOf(value: string): PublishTarget {
  const lists: Record<string, string[]> = {};
  let name = "all";
  for (const word of value.split(/\s+/).filter(Boolean)) {
    if (/^(all|any|none)$/.test(word)) name = word;
    else lists[name] = [...(lists[name] ?? []), word];
  }
  return { tags: lists };
}
