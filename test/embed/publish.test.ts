import { expect, test } from "vitest";
import { run } from "./support/run.ts";

test("npm publishes the package as it is, without a word of correction", async () => {
  // Under a tag, so that it does not matter which version is the latest.
  const { stdout, stderr } = await run("npm", [
    "publish",
    "--dry-run",
    "--ignore-scripts",
    "--tag",
    "dry-run",
  ]);
  expect(stdout).toContain("+ tagwire@");
  const words = stderr.split("\n").filter((line) => /^npm (warn|error) publish/.test(line));
  // Nobody has to be logged in for this.
  expect(words.filter((line) => !line.includes("logged in"))).toEqual([]);
});
