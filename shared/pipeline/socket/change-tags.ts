import type { ConnectionRow, OpenChange } from "../../connections/connection.ts";
import { CHANGES } from "../../connections/frame-budget.ts";
import { type Spending, spend } from "../../connections/token-bucket.ts";
import type { Connections, Random } from "../../ports.ts";
import { TagwireError } from "../../protocol/errors.ts";
import { CONNECTION_TAGS } from "../../protocol/limits.ts";
import type { Tag } from "../../protocol/tag.ts";
import { CONFLICTS, type Followed, type FollowRowDeps, followRow, type Verb } from "./follow-row.ts";

export interface ChangeTagsDeps extends FollowRowDeps {
  readonly connections: Pick<Connections, "read" | "change" | "settle">;
  readonly random: Random;
}

export type ChangeEnding =
  | Followed
  /** It would hold more tags than a connection may. */
  | { readonly kind: "full" }
  | { readonly kind: "over-budget"; readonly retryAfter: number };

/** Milliseconds after which the run of a change is over for sure: API Gateway waits 29 s for a function. */
const RUN_OVER = 60_000;

/**
 * Adds or removes tags of a connection. The row is the truth: it changes first, in one conditional write that also
 * leaves a mark; then the lists are made to agree; the mark goes last. So whatever dies on the way, the row names every
 * list that may not agree with it. A change that changes nothing costs no write.
 */
export async function changeTags(
  deps: ChangeTagsDeps,
  first: ConnectionRow,
  verb: Verb,
  asked: readonly Tag[],
): Promise<ChangeEnding> {
  const { connections, clock } = deps;
  const tags = [...new Set(asked)];
  let row: ConnectionRow | undefined = first;
  for (let conflicts = 0; conflicts <= CONFLICTS; conflicts++) {
    if (row?.connectedAt !== first.connectedAt) return { kind: "gone" };
    const now = clock.now();
    const planned = plan(row, verb, tags, now);
    if (planned.kind !== "write") return planned;
    const { touched, tags: differing, takesOver, spending } = planned;
    const mark = { id: newId(deps.random), startedAt: now, tags: touched };
    const change = { verb, tags: differing, mark, takesOver, spending, tagLimit: CONNECTION_TAGS };
    const changed = await connections.change(row, change);
    if (changed) return followRow(deps, changed, mark, { verb, tags });
    row = await connections.read(first.connectionId, now);
  }
  throw new TagwireError("TABLE_UNAVAILABLE", `${CONFLICTS} writes in a row met another frame's`);
}

interface Write {
  readonly kind: "write";
  /** Those that the row does not have yet, or still has. */
  readonly tags: readonly Tag[];
  /** Those whose list rows are to be written, with what runs that are over left undone. */
  readonly touched: readonly Tag[];
  readonly takesOver: readonly OpenChange[];
  readonly spending: Spending;
}

/** What a frame has to write, by a look at the row. */
function plan(row: ConnectionRow, verb: Verb, asked: readonly Tag[], now: number): Write | ChangeEnding {
  const held = new Set(row.tags);
  const unsure = new Set(row.changes.flatMap((change) => change.tags));
  const tags = asked.filter((tag) => held.has(tag) !== (verb === "add"));
  const touched = asked.filter((tag) => unsure.has(tag) || held.has(tag) !== (verb === "add"));
  if (touched.length === 0) return { kind: "done" };
  if (verb === "add" && tags.length > 0 && held.size + tags.length > CONNECTION_TAGS) return { kind: "full" };
  const spent = spend(CHANGES, row.budgetUntil, touched.length, now);
  if (spent.kind === "refused") return { kind: "over-budget", retryAfter: spent.retryAfter };
  const takesOver = row.changes.filter(({ startedAt }) => startedAt + RUN_OVER < now);
  const left = takesOver.flatMap((change) => change.tags);
  return {
    kind: "write",
    tags,
    touched: [...new Set([...touched, ...left])],
    takesOver,
    spending: spent.spending,
  };
}

const newId = (random: Random): string => random().toString(36).slice(2, 12);
