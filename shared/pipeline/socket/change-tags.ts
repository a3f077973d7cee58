import type { ConnectionRow, OpenChange } from "../../connections/connection.ts";
import { CHANGES } from "../../connections/frame-budget.ts";
import { type Spending, spend } from "../../connections/token-bucket.ts";
import type { Connections, Random } from "../../ports.ts";
import { TagwireError } from "../../protocol/errors.ts";
import { CONNECTION_TAGS } from "../../protocol/limits.ts";
import type { Tag } from "../../protocol/tag.ts";
import { CONFLICTS, type FollowRowDeps, followRow } from "./follow-row.ts";

export interface ChangeTagsDeps extends FollowRowDeps {
  readonly connections: Pick<Connections, "read" | "change" | "settle">;
  readonly random: Random;
}

export type Verb = "add" | "remove";

export type ChangeEnding =
  /** The row has the tags, or has not, as asked; and so have the lists. */
  | { readonly kind: "done" }
  /** Another frame of the socket undid it, or refreshed the token before; `tags` are those that it concerns. */
  | { readonly kind: "superseded"; readonly tags: readonly Tag[] }
  /** The connection was closed meanwhile; nothing of it is left in the lists. */
  | { readonly kind: "gone" }
  /** It would hold more tags than a connection may. */
  | { readonly kind: "full" }
  | { readonly kind: "over-budget"; readonly retryAfter: number };

/** Milliseconds after which the run of a change is over for sure: API Gateway waits 29 s for a function. */
const RUN_OVER = 60_000;

/** Marks of runs that are over: the next change of the row does what they left undone. */
export const leftUndone = ({ changes }: ConnectionRow, now: number): readonly OpenChange[] =>
  changes.filter(({ startedAt }) => startedAt + RUN_OVER < now);

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
    // The topics were checked against the patterns of the token before.
    if (verb === "add" && !isSame(row.subscribe, first.subscribe)) return { kind: "superseded", tags };
    const now = clock.now();
    const planned = plan(row, verb, tags, now);
    if (planned.kind !== "write") return planned;
    const { touched, tags: differing, takesOver, spending } = planned;
    const mark = { id: newId(deps.random), startedAt: now, tags: touched };
    const change = { verb, tags: differing, mark, takesOver, spending, tagLimit: CONNECTION_TAGS };
    const changed = await connections.change(row, change);
    if (changed) {
      const last = await followRow(deps, changed, mark);
      if (!last) return { kind: "gone" };
      const undone = tags.filter((tag) => last.tags.includes(tag) !== (verb === "add"));
      return undone.length === 0 ? { kind: "done" } : { kind: "superseded", tags: undone };
    }
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
  const takesOver = leftUndone(row, now);
  const left = takesOver.flatMap((change) => change.tags);
  return {
    kind: "write",
    tags,
    touched: [...new Set([...touched, ...left])],
    takesOver,
    spending: spent.spending,
  };
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  JSON.stringify(some) === JSON.stringify(others);

export const newId = (random: Random): string => random().toString(36).slice(2, 12);
