import { afterAll, beforeAll, expect, test } from "vitest";
import { centrifugo } from "./support/centrifugo.ts";
import { HISTORIES } from "./support/histories.ts";
import { RECOVERIES } from "./support/recoveries.ts";
import { sceneOf } from "./support/scene.ts";
import type { Side } from "./support/side.ts";
import { tagwire } from "./support/tagwire.ts";

let theirs: Side;
let ours: Side;
beforeAll(async () => {
  theirs = await centrifugo();
  ours = await tagwire();
});
afterAll(() => Promise.all([theirs?.stop(), ours?.stop()]));

test.each(RECOVERIES)("a page gets the same of both: $name", async ({ kept, script, answer, unlike }) => {
  const [centrifugo, tagwire] = await Promise.all([
    script(sceneOf(theirs, kept)),
    script(sceneOf(ours, kept)),
  ]);
  expect({ centrifugo, tagwire }).toEqual({ centrifugo: answer, tagwire: unlike?.tagwire ?? answer });
  expect(unlike?.tagwire, "a row that says it differs").not.toEqual(answer);
});

test.each(HISTORIES)("the history says the same of both: $name", async ({ kept, script, answer, unlike }) => {
  const [centrifugo, tagwire] = await Promise.all([
    script(sceneOf(theirs, kept)),
    script(sceneOf(ours, kept)),
  ]);
  expect({ centrifugo, tagwire }).toEqual({ centrifugo: answer, tagwire: unlike?.tagwire ?? answer });
  expect(unlike?.tagwire, "a row that says it differs").not.toEqual(answer);
});
