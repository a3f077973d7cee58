/*
 * Runs the contracts of the tables on DynamoDB Local, AWS's own engine: npm run test:dynamodb [FILE …]
 * Its jars come from Maven Central and are kept under node_modules/.cache.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const jars = join(here, "../../node_modules/.cache/dynamodb-local-2.6.1");
const suites =
  process.argv.length > 2
    ? process.argv.slice(2)
    : [
        "test/contract/table.test.ts",
        "test/contract/short-table.test.ts",
        "test/contract/quota-beats.test.ts",
      ];

/** What a command prints, or undefined if it is not installed or fails. */
function output(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout + stderr : undefined;
}

function fail(reason) {
  console.error(`test:dynamodb: ${reason}`);
  process.exit(1);
}

const INSTALL =
  "install a JDK of version 17 or later and Maven (Debian: apt-get install openjdk-17-jdk-headless maven)";
const version = /(?:javac )(\d+)/.exec(output("javac", ["-version"]) ?? "")?.[1];
if (version === undefined) fail(`there is no JDK: ${INSTALL}`);
if (Number(version) < 17) fail(`DynamoDB Local needs Java 17, this is ${version}: ${INSTALL}`);

if (!existsSync(jars)) {
  if (output("mvn", ["-version"]) === undefined) fail(`there is no Maven: ${INSTALL}`);
  const partial = `${jars}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const args = ["--batch-mode", "--quiet", "--file", join(here, "pom.xml"), "dependency:copy-dependencies"];
  const { status } = spawnSync("mvn", [...args, `-DoutputDirectory=${partial}`], { stdio: "inherit" });
  if (status !== 0) fail("Maven did not fetch DynamoDB Local");
  renameSync(partial, jars);
}

const java = spawn(
  "java",
  [
    ...[`-Djava.library.path=${jars}`, "-Dorg.eclipse.jetty.LEVEL=WARN"],
    ...["-cp", join(jars, "*"), join(here, "Server.java")],
  ],
  { stdio: ["pipe", "pipe", "inherit"] },
);
const ended = once(java, "exit").then(() => fail("DynamoDB Local ended before it said where it listens"));
const port = new Promise((resolve) => {
  createInterface(java.stdout).on("line", (line) => {
    const found = /^port (\d+)$/.exec(line)?.[1];
    if (found !== undefined) resolve(found);
  });
});
const endpoint = `http://127.0.0.1:${await Promise.race([port, ended])}`;

const vitest = spawn(
  process.execPath,
  [join(here, "../../node_modules/vitest/vitest.mjs"), "run", ...suites],
  {
    env: { ...process.env, TAGWIRE_DYNAMODB: endpoint },
    stdio: "inherit",
  },
);
const [code] = await once(vitest, "exit");
java.removeAllListeners("exit");
java.stdin.end();
process.exit(code ?? 1);
