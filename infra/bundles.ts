import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

/*
 * Prints how large the functions of a cloud assembly are, and puts their bundles where the package takes them from.
 * node --import tsx infra/bundles.ts ASSEMBLY [--to FOLDER]
 */
const { positionals, values } = parseArgs({ allowPositionals: true, options: { to: { type: "string" } } });
const [assembly = "cdk.out"] = positionals;

interface Resource {
  readonly Type: string;
  readonly Properties: { readonly Code?: { readonly S3Key?: string } };
  readonly Metadata: { readonly "aws:cdk:path": string };
}

const template = readdirSync(assembly).find((name) => name.endsWith(".template.json")) ?? "";
const { Resources } = JSON.parse(readFileSync(join(assembly, template), "utf8"));
/** The function that reads the account's quota has its few lines in the template, and no bundle. */
const bundled = (Object.values(Resources) as Resource[]).flatMap(({ Type, Properties, Metadata }) => {
  const key = Type === "AWS::Lambda::Function" ? Properties.Code?.S3Key : undefined;
  return key === undefined ? [] : [{ key, Metadata }];
});

const rows = bundled.map(({ key, Metadata }) => {
  // …/Ingest/Function/Resource
  const name = Metadata["aws:cdk:path"].split("/").at(-3)?.toLowerCase() ?? "";
  const folder = join(assembly, `asset.${key.replace(/\.zip$/, "")}`);
  const code = readdirSync(folder)
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
  const bytes = (size: (text: string) => number) => code.reduce((sum, { text }) => sum + size(text), 0);
  if (values.to) for (const { file, text } of code) put(file === "index.mjs" ? `${name}.mjs` : file, text);
  return [name, bytes((text) => Buffer.byteLength(text)), bytes((text) => gzipSync(text).length)] as const;
});

/** A chunk is named by a hash of what it holds, so functions that share it have the same. It is kept without its map. */
function put(file: string, text: string): void {
  mkdirSync(values.to ?? "", { recursive: true });
  const to = join(values.to ?? "", file);
  const code = text.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, "\n");
  if (existsSync(to) && readFileSync(to, "utf8") !== code)
    throw new Error(`two functions have another ${file}`);
  writeFileSync(to, code);
}

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`.padStart(8);
console.log(`${"function".padEnd(10)}${"minified".padStart(8)}${"gzip".padStart(10)}`);
for (const [name, minified, gzip] of rows)
  console.log(`${name.padEnd(10)}${kilobytes(minified)}  ${kilobytes(gzip)}`);
