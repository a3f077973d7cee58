import { afterAll, beforeAll, expect, test } from "vitest";
import { centrifugo } from "./support/centrifugo.ts";
import { HISTORIES } from "./support/histories.ts";
import { RECOVERIES, type Row } from "./support/recoveries.ts";
import { sceneOf } from "./support/scene.ts";
import type { Side } from "./support/side.ts";
import { tagwire } from "./support/tagwire.ts";

let theirs: Side;
let ours: Side;
beforeAll(async () => {
  [theirs, ours] = await Promise.all([centrifugo(), tagwire()]);
});
afterAll(() => Promise.all([theirs?.stop(), ours?.stop()]));

/** Runs a script on both sides at once, and holds both to the row. */
async function compare<Told>({ kept, script, answer, unlike }: Row<Told>): Promise<void> {
  const [centrifugo, tagwire] = await Promise.all([
    script(sceneOf(theirs, kept)),
    script(sceneOf(ours, kept)),
  ]);
  expect({ centrifugo, tagwire }).toEqual({ centrifugo: answer, tagwire: unlike?.tagwire ?? answer });
  expect(unlike?.tagwire, "a row that says it differs").not.toEqual(answer);
}

test.each(RECOVERIES)("a page is told by both: $name", compare);

test.each(HISTORIES)("the history of both says: $name", compare);
