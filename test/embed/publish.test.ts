import { expect, test } from "vitest";
import { run } from "./support/run.ts";

test("npm publishes the package as it is, without a word of correction", async () => {
  // Under a tag of its own, since npm wants one for a version before the latest.
  const { stdout, stderr } = await run("npm", [
    "publish",
    "--dry-run",
    "--ignore-scripts",
    "--tag",
    "dry-run",
  ]);
  expect(stdout + stderr).toContain("tagwire@");
  expect(stderr).not.toMatch(/npm (warn|error) publish|corrected/i);
});
