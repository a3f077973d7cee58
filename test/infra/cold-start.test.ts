import { build } from "esbuild";
import { expect, test } from "vitest";
import { BUNDLING } from "../../infra/bundle.ts";

/** The packages and files that a start of the function reads. */
async function readAtStart(name: string): Promise<readonly string[]> {
  const { metafile } = await build({
    ...BUNDLING,
    ...{
      entryPoints: { index: `functions/lambda/${name}.ts` },
      outdir: "none",
      write: false,
      metafile: true,
    },
  });
  const read = new Set<string>();
  const walk = (file: string): void => {
    const output = metafile.outputs[file];
    if (!output || read.has(file)) return;
    read.add(file);
    for (const { path, kind } of output.imports) if (kind !== "dynamic-import") walk(path);
  };
  for (const file of Object.keys(metafile.outputs)) if (file.endsWith("/index.mjs")) walk(file);
  return [...read].flatMap((file) => Object.keys(metafile.outputs[file]?.inputs ?? {}));
}

test("a start of ingest does not read the client of the tables, which it needs when jobs wait", async () => {
  const read = await readAtStart("ingest");
  expect(read.filter((file) => file.includes("client-sqs"))).not.toEqual([]);
  expect(read.filter((file) => file.includes("client-dynamodb"))).toEqual([]);
});
