import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/** What the ports are about, the ports, and the settings. */
const CORE = [
  "shared/protocol/",
  "shared/receipts/",
  "shared/connections/",
  "shared/streams/",
  "shared/settings/",
  "shared/backoff.ts",
  "shared/chunks.ts",
  "shared/ports/",
  "shared/ports.ts",
];

/** The architecture, as data: each layer may import itself and what stands on its right. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "shared/protocol/": ["valibot"],
  "shared/backoff.ts": [],
  "shared/chunks.ts": [],
  "shared/receipts/": ["shared/protocol/", "node:crypto", "valibot"],
  "shared/connections/": ["shared/protocol/", "shared/receipts/"],
  "shared/streams/": ["shared/protocol/", "shared/backoff.ts"],
  "shared/settings/": ["shared/protocol/", "valibot"],
  "shared/metric.ts": ["shared/settings/variables.ts"],
  "shared/ports/": [
    "shared/protocol/",
    "shared/receipts/",
    "shared/connections/",
    "shared/streams/",
    "shared/metric.ts",
  ],
  // What is carried from one machine to an account, as text.
  "shared/moving/": ["shared/protocol/", "shared/receipts/", "shared/streams/", "node:crypto", "valibot"],
  "shared/ports.ts": ["shared/ports/", "shared/connections/", "shared/metric.ts"],
  // The documents of the two APIs: the protocol in the words of others. No function loads them.
  "shared/api/": ["shared/protocol/", "@valibot/to-json-schema", "valibot"],
  "shared/pipeline/": [...CORE, "p-limit"],
  "shared/adapters/sdk/": ["shared/protocol/", "@aws-sdk/client-dynamodb"],
  "shared/adapters/dynamodb/": [...CORE, "shared/adapters/sdk/", "@aws-sdk/client-dynamodb"],
  "shared/adapters/sqs/": [...CORE, "shared/adapters/sdk/", "@aws-sdk/client-sqs"],
  "shared/adapters/apigateway/": [
    ...CORE,
    "@aws-sdk/client-apigatewaymanagementapi",
    "@smithy/signature-v4",
    "@smithy/types",
    "node:crypto",
    "node:http",
    "node:https",
  ],
  "shared/adapters/jwt/": [...CORE, "jose"],
  "shared/adapters/emf/": [
    "shared/ports.ts",
    "shared/metric.ts",
    "shared/protocol/",
    "@aws-lambda-powertools/",
  ],
  "functions/": [
    ...CORE,
    "shared/pipeline/",
    "shared/adapters/",
    "@aws-sdk/",
    "aws-lambda",
    "node:timers/promises",
    "p-limit",
    "uuid",
  ],
  "infra/": [
    "shared/api/",
    ...CORE,
    "shared/metric.ts",
    // An alarm on what an hour costs has the prices of the plan.
    "cli/plan/prices.ts",
    "local/page/assets.ts",
    "aws-cdk-lib",
    "constructs",
    "esbuild",
    "node:",
  ],
  // What a backend installs the package for: no part of the router stands behind it.
  "server/": ["shared/protocol/", "shared/backoff.ts", "jose", "node:", "uuid", "valibot"],
  "local/": [
    ...CORE,
    "shared/metric.ts",
    "shared/moving/",
    "functions/",
    "shared/pipeline/",
    "shared/adapters/",
    "server/",
    // The page is made of the client.
    "client/",
    // The text of its snippets.
    "tagwire/",
    "react",
    "esbuild",
    "shared/api/",
    // `npm start` has the options of `tagwire start`.
    "cli/start.ts",
    "cli/run.ts",
    "commander",
    "@aws-sdk/client-sqs",
    "@aws-sdk/client-dynamodb",
    "aws-lambda",
    "dynalite",
    "fauxqs",
    "jose",
    "node:",
    "prom-client",
    "ws",
  ],
  // The data of one machine. SQLite is behind one file.
  "local/engine/store/": ["shared/protocol/", "esbuild", "libsql", "node:"],
  // `tagwire start` is the router of one machine, `tagwire export` writes what it keeps, and no other verb needs it.
  "cli/": [
    ...CORE,
    "local/serve.ts",
    "local/moving/export.ts",
    "shared/moving/",
    "server/",
    "shared/adapters/",
    "@aws-sdk/client-dynamodb",
    "@aws-sdk/client-lambda",
    "@aws-sdk/client-service-quotas",
    "@bomb.sh/tab",
    "@aws-sdk/client-sqs",
    "@aws-sdk/client-ssm",
    "commander",
    "jose",
    "node:",
    "ws",
  ],
  // Browsers load it: no dependency, and of ours only types.
  "client/": ["shared/protocol/"],
  "client/react/": ["client/", "react"],
  // The socket function and its adapters, over a DynamoDB of which only the capacity is simulated.
  "simulation/storm/": [
    ...CORE,
    "simulation/world/dice.ts",
    "functions/",
    "shared/pipeline/",
    "shared/adapters/dynamodb/",
    "client/backoff.ts",
    "testing/memory/",
    "@aws-sdk/client-dynamodb",
    "node:",
  ],
  "simulation/": [...CORE, "shared/pipeline/", "p-limit", "client/stream.ts", "testing/memory/", "node:"],
  // In-memory adapters, and what stands before emulators in tests. Nothing that is shipped reaches for it.
  "testing/": [...CORE, "local/engine/", "@aws-sdk/", "aws4", "jose", "node:"],
  // What the ports are on one machine.
  "local/engine/": [...CORE, "node:"],
  // A benchmark may reach for anything; nothing reaches for it.
  "bench/": [""],
};

const files = [
  "shared",
  "functions",
  "infra",
  "server",
  "local",
  "cli",
  "client",
  "simulation",
  "testing",
  "bench",
].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);

const importsOf = (file: string): string[] =>
  [...readFileSync(file, "utf8").matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    ([, name = ""]) => (name.startsWith(".") ? normalize(join(dirname(file), name)) : name),
  );

/** The innermost layer of a file. */
const layerOf = (file: string): string | undefined =>
  Object.keys(MAY_IMPORT)
    .filter((layer) => file.startsWith(layer))
    .sort((a, b) => b.length - a.length)[0];

test("every source file belongs to a layer", () => {
  expect(files.filter((file) => !Object.keys(MAY_IMPORT).some((layer) => file.startsWith(layer)))).toEqual(
    [],
  );
});

test.each(Object.entries(MAY_IMPORT))("%s imports only what stands before it", (layer, allowed) => {
  const strays = files
    .filter((file) => layerOf(file) === layer)
    .flatMap((file) => importsOf(file).map((name) => ({ file, name })))
    .filter(({ name }) => ![layer, ...allowed].some((prefix) => name.startsWith(prefix)));
  expect(strays).toEqual([]);
});

// A cold start pays for what is loaded. Settings reach a function as JSON that the stack has checked.
test("functions load no schema of the settings, only types and what follows from them", () => {
  const checking = ["schema", "leaf", "rules", "settings"].map((name) => `shared/settings/${name}.ts`);
  const loadedBy = (file: string): readonly string[] =>
    [...readFileSync(file, "utf8").matchAll(/^(?:import|export) (?!type )[^"]*"(\.[^"]+)"/gm)].map(
      ([, name = ""]) => normalize(join(dirname(file), name)),
    );
  const loaded = new Set(files.filter((file) => file.startsWith("functions/")));
  for (const file of loaded) for (const next of loadedBy(file)) loaded.add(next);
  expect([...loaded]).toContain("shared/settings/policy.ts");
  expect(checking.filter((file) => loaded.has(file))).toEqual([]);
});

test("the client takes only types of the protocol, which stands on a library", () => {
  const loads = files
    .filter((file) => file.startsWith("client/"))
    .flatMap((file) => [
      ...readFileSync(file, "utf8").matchAll(/^(?:import|export) (?!type )[^"]*"(\.[^"]+)"/gm),
    ])
    .filter(([, name = ""]) => name.includes("shared/"));
  expect(loads).toEqual([]);
});

test("no file imports a private part of a library", () => {
  const strays = files.flatMap((file) =>
    importsOf(file).filter(
      (name) => /^(@[^/]+\/)?[^/.@]+\/(lib|src|dist)/.test(name) && !files.includes(name),
    ),
  );
  expect(strays).toEqual([]);
});

// What checks signatures in tests has to read them.
test("no file signs requests itself: that is a library's work", () => {
  expect(
    files.filter(
      (file) => !file.startsWith("testing/") && /AWS4-HMAC|aws4_request/.test(readFileSync(file, "utf8")),
    ),
  ).toEqual([]);
});

test("no file imports itself by way of others", () => {
  const imports = new Map(
    files.map((file) => [file, importsOf(file).filter((name) => files.includes(name))]),
  );
  const clean = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (path.includes(file) || clean.has(file)) return;
    for (const next of imports.get(file) ?? []) walk(next, [...path, file]);
    clean.add(file);
  };
  for (const file of files) walk(file, []);
  expect(circles).toEqual([]);
});
