import { setTimeout as pause } from "node:timers/promises";
import { Unexpected } from "./publisher.ts";
import { isStopping, type Posted, type Scene } from "./scene.ts";

/** What readers were told of each message, by id. */
export type Notes = Map<string, Note>;

interface Note {
  /** In order, without repeats. 404 is `unknown`. */
  readonly states: string[];
  /** The first ending that was read, and when it was written, in milliseconds of `performance.now()`. */
  ended?: string;
  endedAt: number;
  /** When it was read first. */
  readAt?: number;
}

/** Reads receipts of messages that got 202, the latest ones more often, until the scene is over. */
export async function readReceipts(scene: Scene, notes: Notes): Promise<void> {
  const { posted, random } = scene;
  while (!scene.isOver) {
    const back = 1 + Math.floor(random() ** 3 * posted.length);
    const id = posted.at(-back)?.id;
    if (id !== undefined) await read(scene, notes, id);
    await pause(random() * 20);
  }
}

/** Reads the receipts of those that got 202 until each has ended, for at most `milliseconds` in all. */
export async function readEndings(
  scene: Scene,
  notes: Notes,
  milliseconds: number,
  posted: readonly Posted[] = scene.posted,
): Promise<void> {
  const until = performance.now() + milliseconds;
  let left = posted.flatMap(({ id }) => id ?? []);
  while (left.length > 0 && performance.now() < until) {
    const open: string[] = [];
    const next = left.values();
    const work = async () => {
      for (const id of next) if (!ENDED.has(await read(scene, notes, id))) open.push(id);
    };
    await Promise.all(Array.from({ length: 24 }, work));
    left = open;
    if (left.length > 0) await pause(200);
  }
}

export const ENDED: ReadonlySet<string> = new Set([
  ...["dead", "cancelled", "expired", "partial", "delivered", "no-recipients"],
]);

async function read({ url, token }: Scene, notes: Notes, id: string): Promise<string> {
  const note: Note = notes.get(id) ?? { states: [], endedAt: Number.POSITIVE_INFINITY };
  const { states } = note;
  const before = states.at(-1) ?? "";
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/v1/messages/${id}`, {
      headers,
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (isStopping(response.status, text)) return before;
    if (response.status >= 500) throw new Unexpected(`the receipt of ${id}: ${response.status}: ${text}`);
    const { state: said, updatedAt } = JSON.parse(text) as { state: string; updatedAt: string };
    const state = response.status === 404 ? "unknown" : said;
    if (states.at(-1) !== state) states.push(state);
    if (ENDED.has(state) && note.ended === undefined) {
      note.ended = state;
      note.readAt = performance.now();
      note.endedAt = Date.parse(updatedAt) - performance.timeOrigin;
    }
    notes.set(id, note);
    return state;
  } catch (fault) {
    if (fault instanceof Unexpected) throw fault;
    return before;
  }
}
