/*
 * Mutates the code of a folder under shared/ and runs its suites for each mutant:
 * npm run test:mutation [-- domain | pipeline | dynamodb | adapters [file of it …] [option of `stryker run` …]].
 * Without a folder: all in turn. Without a file: the whole folder.
 * It is incremental: a mutant is run again only if its code or a test of it has changed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { FOLDERS } from "./folders.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const [name, ...rest] = process.argv.slice(2);
// An option is passed on with whatever follows it.
const firstOption = rest.findIndex((word) => word.startsWith("-"));
const files = firstOption < 0 ? rest : rest.slice(0, firstOption);
const options = firstOption < 0 ? [] : rest.slice(firstOption);
const folders = name === undefined ? Object.keys(FOLDERS) : [name];
if (!folders.every((folder) => folder in FOLDERS)) {
  console.error(`test:mutation: there is no folder ${name}; there are ${Object.keys(FOLDERS).join(", ")}`);
  process.exit(2);
}

for (const folder of folders) {
  const stryker = spawn(
    process.execPath,
    [
      "node_modules/@stryker-mutator/core/bin/stryker.js",
      "run",
      "test/mutation/stryker.config.mjs",
      ...(files.length > 0 ? ["--mutate", files.join(",")] : []),
      ...options,
    ],
    { cwd: root, stdio: "inherit", env: { ...process.env, TAGWIRE_MUTATION: folder } },
  );
  const [code] = await once(stryker, "exit");
  if (code !== 0) process.exitCode = 1;
}
