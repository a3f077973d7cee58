import type { Tag } from "../../shared/protocol/tag.ts";
import type { Target } from "../../shared/protocol/target.ts";

/**
 * Whether a target means a connection. `holds` is asked about the tags that it must hold, `isFree` about those that it
 * must not: where it is uncertain what a connection holds, the two are not each other's opposite.
 */
export function isMeant(
  target: Target,
  connectionId: string,
  holds: (tag: Tag) => boolean,
  isFree: (tag: Tag) => boolean,
): boolean {
  if ("connection" in target) return target.connection === connectionId;
  if ("user" in target) return holds(`user:${target.user}` as Tag);
  if ("topic" in target) return holds(`topic:${target.topic}` as Tag);
  if ("everyone" in target) return true;
  const { all, any, none } = target.tags;
  for (const tag of all ?? []) if (!holds(tag)) return false;
  for (const tag of none ?? []) if (!isFree(tag)) return false;
  return !any || any.some(holds);
}
