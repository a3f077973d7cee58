import { parse } from "../shared/protocol/parse.ts";
import { Target } from "../shared/protocol/target.ts";
import { UsageError } from "./failure.ts";

const WORDS = ["all", "any", "none"] as const;
type Word = (typeof WORDS)[number];

/**
 * Reads `region:gd any plan:pro plan:team none user:1001`: the tags after `all`, `any` or `none` belong to it,
 * those before any of these words to `all`. Tags have a colon and no spaces, so nothing needs escaping.
 */
export function parseExpression(text: string): Target {
  const tags: Partial<Record<Word, string[]>> = {};
  let current: Word = "all";
  for (const part of text.split(/\s+/u).filter((each) => each !== "")) {
    const word = WORDS.find((each) => each === part);
    current = word ?? current;
    // A word without a tag stays an empty list and is refused: `any $NOBODY` must not reach everybody.
    tags[current] = [...(tags[current] ?? []), ...(word ? [] : [part])];
  }
  const target = parse(Target, { tags }, "MESSAGE_INVALID");
  if (!target.ok) throw new UsageError(`the tag expression is wrong: ${target.refusal.detail}`);
  return target.value;
}
