import pLimit from "p-limit";
import { accept, type Result, TagwireError } from "../../protocol/errors.ts";
import type { RefusedTopic, ServerFrame } from "../../protocol/frame.ts";
import type { KeptStream } from "../../streams/kept.ts";
import { ensureStarted } from "../streams/start.ts";
import { checkNamed, type HistoryDeps, type Named, streamNamed } from "./history.ts";
import { AT_ONCE, type ResumeDeps, type Resuming, within } from "./subscribe.ts";

/** The present position of each stream that a ping names, and the topics that it may not name. */
export async function standing(
  deps: ResumeDeps,
  reader: Resuming,
  names: readonly string[],
): Promise<Result<Pick<Extract<ServerFrame, { type: "pong" }>, "positions" | "refused">>> {
  const checked = names.map((name) => ({ name, result: checkNamed(reader, name) }));
  const refused = checked.flatMap(({ name, result }): RefusedTopic[] =>
    result.ok ? [] : [{ topic: name, code: result.refusal.code, detail: result.refusal.detail }],
  );
  const kept = checked.flatMap(({ result }) => {
    const stream = result.ok ? streamNamed(deps, reader, result.value) : undefined;
    return result.ok && stream ? [{ name: result.value, ...stream }] : [];
  });
  const tooMuch = within(deps, reader, kept.length);
  if (tooMuch) return tooMuch;
  const positions = await heads(deps, kept);
  return accept({ ...(positions ? { positions } : {}), ...(refused.length > 0 ? { refused } : {}) });
}

/** A ping is answered even if the table cannot be reached. */
async function heads(
  { reads }: HistoryDeps,
  kept: readonly (KeptStream & { readonly name: Named })[],
): Promise<Readonly<Record<string, number>> | undefined> {
  if (!reads || kept.length === 0) return undefined;
  const limit = pLimit(AT_ONCE);
  try {
    const found = kept.map(({ name, stream, retention }) =>
      limit(async () => [name, await ensureStarted(reads, stream, retention)] as const),
    );
    return Object.fromEntries(await Promise.all(found));
  } catch (fault) {
    if (fault instanceof TagwireError) return undefined;
    throw fault;
  }
}
