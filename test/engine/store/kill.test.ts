import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { build, expectWhole, kill, lastKept, start } from "./process.ts";
import { temporary } from "./temporary.ts";

beforeAll(() => build("child"));

test("what was kept is there after kill -9 at any moment, in order, and groups are whole", async () => {
  const folder = temporary();
  const acknowledgements = join(temporary(), "kept");
  let count = 0;
  for (let round = 0; round < 8; round++) {
    const child = start("child", folder, acknowledgements);
    await expect.poll(() => lastKept(acknowledgements), { interval: 5 }).toBeGreaterThanOrEqual(count);
    // The moment itself is what is tried, and no event of the child marks it.
    await pause(Math.random() * 150);
    await kill(child);
    count = await expectWhole(folder, lastKept(acknowledgements));
  }
});
