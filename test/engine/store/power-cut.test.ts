import { cpSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { committedPage, cutPower } from "./power-cut.ts";
import { build, expectWhole, freeze, kill, lastKept, start } from "./process.ts";
import { temporary } from "./temporary.ts";

beforeAll(() => build("child"));

// Windows has no signal that stops a process.
test.skipIf(process.platform === "win32")(
  "what was kept is there after the power failed at any moment, whatever became of the rest",
  async () => {
    const folder = temporary();
    const acknowledgements = join(temporary(), "kept");
    const child = start("child", folder, acknowledgements);
    await expect.poll(() => lastKept(acknowledgements), { interval: 5 }).toBeGreaterThan(0);
    const committed = await committedPage();
    let atRisk = 0;
    for (let round = 0; round < 25; round++) {
      // The moment itself is what is tried, and no event of the child marks it.
      await pause(Math.random() * 100);
      await freeze(child);
      const copy = temporary();
      for (const name of ["store.db", "store.db-wal", "store.db-shm", "last-group"])
        cpSync(join(folder, name), join(copy, name));
      const kept = lastKept(acknowledgements);
      child.kill("SIGCONT");
      atRisk += cutPower(copy, committed, Math.random);
      await expectWhole(copy, kept);
    }
    await kill(child);
    expect(atRisk).toBeGreaterThan(0);
  },
);
